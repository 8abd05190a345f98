"""The run-time that travels with every generated project.

It needs the standard library and numpy, and for RTL simulation cocotb and Verilator; never
`thresher` itself, so that a project builds and simulates where Thresher is not installed.
"""
