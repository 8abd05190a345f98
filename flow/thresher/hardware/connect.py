"""Join folded layers by streams, with width converters where the beats differ."""

from __future__ import annotations

from thresher.hardware.select import Layer
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher.ir.kernel import same_beats
from thresher.kernels.width_converter import WidthConverter
from thresher_sim.streams import StreamLayout


def connect(layers: tuple[Layer, ...]) -> HwGraph:
    """Make the hardware graph of `layers`, which must be joinable and in topological order."""
    read = {tensor for layer in layers for tensor in layer.inputs}
    written = {tensor for layer in layers for tensor in layer.outputs}
    streams = dict.fromkeys(read - written, INPUT_STREAM) | dict.fromkeys(written - read, OUTPUT_STREAM)
    layouts: dict[str, StreamLayout] = {}
    nodes: list[HwNode] = []
    converters = 0
    for layer in layers:
        inputs = []
        for tensor, wanted in zip(layer.inputs, layer.kernel.input_layouts, strict=True):
            stream = streams[tensor]
            converter = converter_between(layouts.get(stream, wanted), wanted)
            if converter is not None:
                name = f"width_converter{converters}"
                converters += 1
                nodes.append(HwNode(name, (stream,), (f"{name}_out",), (), converter))
                stream = f"{name}_out"
            inputs.append(stream)
        for tensor, port in zip(layer.outputs, layer.kernel.output_ports, strict=True):
            streams.setdefault(tensor, f"{layer.name}_{port.replace('m_axis', 'out')}")
            layouts[streams[tensor]] = layer.kernel.output_layout
        outputs = tuple(streams[tensor] for tensor in layer.outputs)
        nodes.append(HwNode(layer.name, tuple(inputs), outputs, layer.onnx_nodes, layer.kernel))
    graph = HwGraph(tuple(nodes), (INPUT_STREAM,), (OUTPUT_STREAM,))
    stream_layouts(graph)
    return graph


def converter_between(source: StreamLayout, target: StreamLayout) -> WidthConverter | None:
    """What turns the beats of `source` into those of `target`, or None where they are the same."""
    return None if same_beats(source, target) else WidthConverter(source, target)
