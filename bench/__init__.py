"""Benchmarks: how fast Thresher builds and simulates, beside the QONNX executor, as a table and as JSON."""
