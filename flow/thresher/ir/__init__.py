"""The graphs that stages hand on: frozen nodes over named tensors, which no pass is needed to read.

    graph.py             what all graphs have in common, and the one interpreter
    quant.py             the imported network: ONNX operators as typed nodes, in float32
    quantisers.py, quant_maps.py, quant_joins.py, custom.py
                         its quantisers, operators on maps, those of several tensors, and custom ones
    integer.py           the network as exact integer operators, which hardware is made of
    integer_branches.py  its operators where tensors part and meet
    hardware.py          the hardware: kernels joined by streams
    kernel.py            what a kernel is to every pass: ports, golden model, folding, schedule, resources
    window.py            the windows of convolutions and pools

Passes import these modules, and these import no pass.
"""
