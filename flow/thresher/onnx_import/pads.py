"""`Pad` nodes in front of convolutions and pools: their pixels become padding of the windows behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.quant import Shape, Transpose
from thresher.ir.window import Pair, Window
from thresher.onnx_import.scope import Padded, Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode


@dataclass(frozen=True)
class Unpadded:
    """What a window operator reads: `source` of `shape`, in front of each axis of which `before` is padding.

    Taps beside it hold `value`; `onnx_nodes` are the Pad, and what moved its axes.
    """

    source: str
    shape: Shape
    before: tuple[int, ...]
    value: float
    onnx_nodes: tuple[str, ...]

    def widen(self, window: Window) -> Window:
        """The window of the padded map, on the map itself."""
        height, width = _pair(self.shape[2:], 1)
        above, left = _pair(self.before[2:], 0)
        before = (window.before[0] + above, window.before[1] + left)
        return replace(window, height=height, width=width, before=before)


def note_pad(scope: Scope, node: SourceNode) -> None:
    """Note in `scope` that `node` puts constants around its input, where that is what it does.

    Raises:
        NodeError: It does not say how many.
    """
    mode = node.attributes.get("mode", b"constant")
    if mode not in (b"constant", "constant") or len(dynamic_inputs(scope, node)) != 1:
        return
    rank = len(scope.shape(node))
    listed = node.attributes.get("pads")
    pads = np.asarray(scope.argument(node, 1, "padding") if listed is None else listed, np.int64).reshape(-1)
    value, axes = scope.scalar(node, 2, "value"), scope.optional(node, 3)
    places = np.arange(rank) if axes is None else axes.reshape(-1) % rank
    if len(pads) != 2 * len(places):
        reason = f"it has {len(pads)} numbers of padding for {len(places)} axes"
        raise NodeError("import", node.name, reason, "export the model again")
    before, after = np.zeros((2, rank), np.int64)
    before[places], after[places] = np.split(pads, 2)
    filled = float(node.attributes.get("value", 0.0)) if value is None else value
    source = dynamic_inputs(scope, node)[0]
    scope.padded[node.outputs[0]] = Padded(
        source, tuple(before.tolist()), tuple(after.tolist()), filled, (node.name,)
    )


def move_pads(scope: Scope, node: SourceNode, axes: tuple[int, ...]) -> Sequence[Transpose]:
    """Where `node` transposes a padded tensor: the transposed tensor without padding, which is then noted."""
    padded = scope.padded.get(dynamic_inputs(scope, node)[0])
    if padded is None:
        return []
    unused = scope.source.unused_name
    output, names = unused(f"{node.outputs[0]}/unpadded"), (*padded.onnx_nodes, node.name)
    before, after = (tuple(pads[axis] for axis in axes) for pads in (padded.before, padded.after))
    scope.padded[node.outputs[0]] = Padded(output, before, after, padded.value, names)
    return [Transpose(unused(f"{node.name}/unpadded"), (padded.source,), (output,), names, axes)]


def unpadded(scope: Scope, node: SourceNode, own: Window, fill: float = 0.0) -> Unpadded:
    """What a convolution or pool reads, without the Pad in front of it.

    `own` are its windows with the Pad, and `fill` is what their own padding holds. The Pad stays where it
    pads channels or takes pixels away, or where there would be two kinds of padding or one that is no number.
    """
    padded = scope.padded.get(dynamic_inputs(scope, node)[0])
    if padded is None:
        return as_it_is(scope, node, fill)
    outside = (*padded.before[:2], *padded.after[:2])
    cuts = min(*padded.before, *padded.after) < 0
    other = padded.value != fill
    if cuts or any(outside) or (other and (own.padded or not math.isfinite(padded.value))):
        return as_it_is(scope, node, fill)
    shape = scope.shapes[padded.source]
    return Unpadded(padded.source, shape, padded.before, padded.value, padded.onnx_nodes)


def as_it_is(scope: Scope, node: SourceNode, fill: float = 0.0) -> Unpadded:
    """What a convolution or pool reads, whatever wrote it."""
    tensor = dynamic_inputs(scope, node)[0]
    shape = scope.shapes[tensor]
    return Unpadded(tensor, shape, tuple(0 for _ in shape), fill, ())


def _pair(values: Sequence[int], missing: int) -> Pair:
    return (values[0], values[1]) if len(values) == 2 else (missing, values[0])
