"""Where integers enter the hardware: which axes of the model's tensor its vectors lie along."""

from __future__ import annotations

import numpy as np

from thresher.ir.graph import Array, consumers
from thresher.ir.integer import Doubles, Ints
from thresher.ir.quant import Elementwise, Layout, QuantGraph, QuantNode, Transpose
from thresher.ir.quant_joins import Join, Pick
from thresher.ir.quant_maps import GlobalPool, Windowed
from thresher.ir.quantisers import Quantiser
from thresher.lower.forms import Pending, integer, stream_order, to_stream
from thresher_sim.streams import IntType

INPUT = "input"


def enter(graph: QuantGraph, tensor: str, element: IntType, scale: Array, zero: Array) -> Pending:
    """The integers of `tensor` as they enter; `scale` and `zero` broadcast against it."""
    shape = graph.shapes[tensor][1:]
    axes = _pixel_axes(graph, tensor)
    form = integer(INPUT, tensor, element, *_per_channel(scale, zero, shape, ()), stream_order(shape, ()))
    if not axes:
        return form
    sample = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    if any(np.broadcast_shapes(part.shape, (1, *sample)) != (1, *sample) for part in (scale, zero)):
        return form
    order = stream_order(shape, axes)
    return integer(INPUT, tensor, element, *_per_channel(scale, zero, sample, axes), order, axes)


def per_channel(scale: Array, zero: Array, sample: Ints) -> tuple[Doubles, Ints]:
    """Scale and zero point of every channel; `sample` is the channel of each element of one vector."""
    return to_stream(scale.astype(np.float64), sample), to_stream(zero.astype(np.int64), sample)


def _per_channel(
    scale: Array, zero: Array, shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[Doubles, Ints]:
    return per_channel(scale, zero, stream_order(shape, axes))


def _pixel_axes(graph: QuantGraph, tensor: str) -> tuple[int, ...]:
    """The axes of a frame of `tensor` that the first windows behind it move along; none if there are none.

    Where the way there reshapes the frame, channels are taken to come first, as ONNX has them.

    Exporters of other frameworks put channels last and transpose before each convolution.
    """
    axes = tuple(range(len(graph.shapes[tensor]) - 1))
    return _axes_behind(graph, tensor, axes) or (axes[1:] if _meets_windows(graph, tensor) else ())


def _meets_windows(graph: QuantGraph, tensor: str) -> bool:
    """Whether windows follow `tensor` before a product of whole frames does."""
    waiting, seen = [tensor], {tensor}
    while waiting:
        for reader in consumers(graph, waiting.pop()):
            if isinstance(reader, Windowed | GlobalPool):
                return True
            if isinstance(reader, Elementwise | Quantiser | Join | Pick | Layout):
                waiting += [output for output in reader.outputs if output not in seen]
                seen.update(reader.outputs)
    return False


def _axes_behind(graph: QuantGraph, tensor: str, axes: tuple[int, ...]) -> tuple[int, ...]:
    """As `_pixel_axes` for a tensor whose axes are `axes` of the frame that entered."""
    waiting = [(reader, axes) for reader in reversed(consumers(graph, tensor))]
    seen: set[tuple[str, tuple[int, ...]]] = set()
    while waiting:
        reader, axes = waiting.pop()
        if (reader.name, axes) in seen:
            continue
        seen.add((reader.name, axes))
        match reader:
            case Windowed() | GlobalPool():
                if axes[1:]:
                    return axes[1:]
                continue
            case Transpose():
                axes = tuple(axes[axis - 1] for axis in reader.axes[1:])
            case Elementwise() | Quantiser() | Join() | Pick() if _keeps_rank(graph, reader):
                pass
            case _:
                continue
        waiting += [(each, axes) for each in reversed(consumers(graph, reader.output))]
    return ()


def _keeps_rank(graph: QuantGraph, node: QuantNode) -> bool:
    return len(graph.shapes[node.input]) == len(graph.shapes[node.output])
