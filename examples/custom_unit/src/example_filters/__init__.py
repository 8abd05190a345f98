"""Filters on signals, as kernels of Thresher."""
