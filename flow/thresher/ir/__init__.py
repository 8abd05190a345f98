"""The graphs that stages hand on: frozen nodes over named tensors, which no pass is needed to read.

    quant.py    the imported network: ONNX operators as typed nodes, in float32
    integer.py  the network as exact integer operators, which hardware is made of
    graph.py    what all graphs have in common, and the one interpreter
    window.py   the windows of convolutions and pools

Passes import these modules, and these import no pass.
"""
