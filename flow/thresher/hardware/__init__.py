"""The integer network to folded kernels joined by streams."""
