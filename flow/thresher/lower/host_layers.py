"""Linear layers that stay on the host: which, how much of the work that is, why, and what to do."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from thresher.ir.quant import Arithmetic, FloatLinear, InputScaled, Layout, Linear, QuantGraph, QuantNode
from thresher.ir.quant_maps import Conv, FloatConv
from thresher.onnx_import.quantize.places import find_places, left_to_host

_LAYERS = (Linear, Conv, FloatLinear, FloatConv)
_FLOATS = (FloatLinear, FloatConv)
# From this share of the multiply-accumulates on, layers on the host are more than ends of a network.
_MOST = 0.5
_CALIBRATE = "build with --quantize-float 8 --samples X.npy"


@dataclass(frozen=True)
class HostLayer:
    """A linear layer that the host computes.

    Attributes:
        node: The node of the ONNX file.
        operator: What it is there.
        macs_per_frame: Its multiply-accumulates; None where its shape is not known.
        share: Those as a share of all linear layers' of the network; None where one of them is not known.
        reason: Why it is on the host.
        remedy: What to do for it to be hardware.
        unintended: Whether that is hardly meant: its weights are quantised and only its input is not, or
            such float layers are most of the network.
    """

    node: str
    operator: str
    macs_per_frame: int | None
    share: float | None
    reason: str
    remedy: str
    unintended: bool

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        part = "" if self.share is None else f" with {100 * self.share:.1f} % of the multiply-accumulates"
        return f"layer '{self.node}' stays on the host{part}: {self.reason}; {self.remedy}"

    def to_json(self) -> dict[str, object]:
        """The fields as plain JSON values, and the sentence."""
        return {**vars(self), "sentence": self.sentence}


def find_host_layers(
    graph: QuantGraph, hardware: Collection[str], integers_enter: bool
) -> tuple[HostLayer, ...]:
    """The linear layers of `graph` that are not of the ONNX nodes in `hardware`, in its order.

    With `integers_enter` the hardware takes the model's input.
    """
    layers = [node for node in graph.nodes if isinstance(_operator(node), _LAYERS)]
    macs = [_macs(graph, node) for node in layers]
    known = [count for count in macs if count is not None]
    total = sum(known) if len(known) == len(macs) else 0
    needy, left = find_places(graph, integers_enter).chosen, left_to_host(graph)
    operators = {each.name: each.op for each in graph.onnx}
    found = []
    for node, count in zip(layers, macs, strict=True):
        if node.onnx_nodes[-1] not in hardware:
            cause = left.get(node.name)
            reason, remedy = _reason(graph, node, cause, needy.get(node.name, False))
            found.append(
                HostLayer(
                    node=node.onnx_nodes[-1],
                    operator=operators.get(node.onnx_nodes[-1], ""),
                    macs_per_frame=count,
                    share=count / total if total and count is not None else None,
                    reason=reason,
                    remedy=remedy,
                    unintended=needy.get(node.name, False) and not isinstance(node, _FLOATS),
                )
            )
    most = sum(layer.share or 0.0 for layer in found if not layer.unintended) > _MOST
    return tuple(replace(layer, unintended=True) if most else layer for layer in found)


def _operator(node: QuantNode) -> QuantNode:
    return node.operator if isinstance(node, InputScaled) else node


def _macs(graph: QuantGraph, node: QuantNode) -> int | None:
    """Multiply-accumulates of a frame: as many for each element of the output as a row has weights."""
    layer, shape = _operator(node), graph.shapes.get(node.output)
    assert isinstance(layer, _LAYERS)
    if shape is None:
        return None
    return math.prod(shape[1:]) * (layer.weights.size // len(layer.weights))


def _reason(graph: QuantGraph, node: QuantNode, cause: str | None, needs_quantiser: bool) -> tuple[str, str]:
    """Why the layer is on the host, and what to do; `cause` is the node that leaves it there, if one does."""
    if isinstance(node, InputScaled):
        return node.reason, node.remedy
    if cause is not None:
        return (
            f"node '{cause}', which has no unit, lies between it and the quantised layers",
            "leave that out, or move it to the other side of the layer",
        )
    identity = "a QuantIdentity(bit_width=8) in front of it"
    if isinstance(node, _FLOATS):
        kind = "QuantConv2d" if isinstance(node, FloatConv) else "QuantLinear"
        quantised = f"make it a {kind} with a weight_quant"
        if needs_quantiser:
            return "its weights and its input are floats", f"{quantised} and put {identity}, or {_CALIBRATE}"
        return "its weights are floats", f"{quantised}, or {_CALIBRATE}"
    if not needs_quantiser:
        return "what it reads is computed there", "let all that it reads pass through quantised layers"
    takes_input = _reads_input(graph, node.input)
    typed = "build with --input-type and --input-scale, such as uint8 and 1/255, or " if takes_input else ""
    where = f"{identity}, on the model's input" if takes_input else identity
    return "its input is not quantised", f"put {where}, or {typed}{_CALIBRATE}"


def _reads_input(graph: QuantGraph, tensor: str) -> bool:
    """Whether `tensor` is the model's input, but for a factor and where its elements lie."""
    while tensor != graph.inputs[0]:
        node = next(node for node in graph.nodes if tensor in node.outputs)
        scaled = isinstance(node, Arithmetic) and node.rescale is not None
        if not scaled and not isinstance(node, Layout):
            return False
        tensor = node.input
    return True
