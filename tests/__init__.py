"""Thresher's tests, mirroring `flow/`."""
