"""Join folded layers by streams, with width converters where the beats differ."""

from __future__ import annotations

from thresher.hardware.graph import INPUT_STREAM, OUTPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher.hardware.select import Layer
from thresher.kernels.base import same_beats
from thresher.kernels.width_converter import WidthConverter
from thresher_sim.streams import StreamLayout


def connect(layers: tuple[Layer, ...]) -> HwGraph:
    """Make the hardware graph of a chain of `layers`, which must be joinable."""
    chain = _with_converters(layers)
    nodes: list[HwNode] = []
    stream = INPUT_STREAM
    for position, layer in enumerate(chain):
        output = OUTPUT_STREAM if position == len(chain) - 1 else f"{layer.name}_out"
        nodes.append(HwNode(layer.name, (stream,), (output,), layer.onnx_nodes, layer.kernel))
        stream = output
    graph = HwGraph(tuple(nodes), (INPUT_STREAM,), (OUTPUT_STREAM,))
    stream_layouts(graph)
    return graph


def converter_between(source: StreamLayout, target: StreamLayout) -> WidthConverter | None:
    """What turns the beats of `source` into those of `target`, or None where they are the same."""
    return None if same_beats(source, target) else WidthConverter(source, target)


def _with_converters(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    chain = [layers[0]]
    converters = 0
    for layer in layers[1:]:
        converter = converter_between(chain[-1].kernel.output_layout, layer.kernel.input_layout)
        if converter is not None:
            chain.append(Layer(f"width_converter{converters}", converter, ()))
            converters += 1
        chain.append(layer)
    return tuple(chain)
