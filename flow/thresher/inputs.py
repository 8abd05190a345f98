"""Whether what is given to an accelerator fits the first quantiser of its model, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from thresher.errors import HostLayerWarning, InputWarning
from thresher.graph import Array
from thresher.host import Host
from thresher.lower import HostLayer
from thresher.lower.integer import Flags, IntCustom, IntThreshold, count_reached
from thresher.saturation import MOST_VALUES, Misfit, find_misfit
from thresher.warn import warn
from thresher_sim.streams import IntType

_FRAMES = 256
# Behind a layer quantisers of few levels cut off much of what they get: that is their activation function.
_REACH_BEHIND = 8
# So many times as far from their means as in training values were never meant for the model.
_MOST_TIMES = 8
# Of fewer frames it may be the scene that they are alike; and so near its ends nothing parts a type sensibly.
_FEWEST_FRAMES = 8
_EDGE = 0.07
# A quantiser of the input does not leave so much of its type aside; pixels of 0..15 may come as uint8.
_MOST_OF_TYPE = 0.95
# Images have pixels of 8 bits.
_PIXEL = 255
_AS_TRAINED = "give them as in training"


@dataclass(frozen=True, eq=False)
class _Meeting:
    """Values that meet a quantiser: their `positions` among its levels, see `find_misfit`.

    `takes` is the range of its levels and `gets` that of the values, both in the same units; None where
    it is not the inputs themselves that meet it. Without `judges_alike` values may be alike, as those of a
    single dark image are.
    """

    positions: Array
    low: int
    high: int
    two: bool
    common: Flags
    takes: tuple[float, float] | None = None
    gets: tuple[float, float] | None = None
    reach: int = 1
    judges_alike: bool = True

    @property
    def behind(self) -> bool:
        """Whether a layer lies in front of it."""
        return self.reach > 1

    def misfit(self) -> Misfit | None:
        found = find_misfit(self.positions, self.low, self.high, self.two, self.common, self.reach)
        return None if found is not None and found.alike and not self.judges_alike else found


def warn_of_inputs(host: Host, frames: Array, what: str = "inputs") -> str | None:
    """Warn where `frames`, which `host` takes, do not fit the model's first quantiser; what was said."""
    said = describe_inputs(host, frames, what)
    if said is not None:
        warn(said, InputWarning)
    return said


def describe_inputs(host: Host, frames: Array, what: str) -> str | None:
    """What is wrong with `frames` `[N, ...]` for the model's first quantiser, with the remedy, or None."""
    chosen = _spread(frames)
    if host.prologue is not None:
        chosen = chosen.astype(np.float64)
    fault = _find_fault(host, chosen)
    if fault is None:
        return None
    given = f"{what}: the values go from {float(chosen.min()):g} to {float(chosen.max()):g}"
    return f"{given}, and {fault}; {_remedy(host, chosen)}"


def warn_of_type(host: Host) -> str | None:
    """Warn where the hardware's input type, without a scale, does not fit that quantiser; what was said."""
    said = describe_type(host)
    if said is not None:
        warn(said, InputWarning)
    return said


def describe_type(host: Host) -> str | None:
    """What is wrong with the type of the hardware's input, of which no scale is given; None: nothing.

    All its integers are tried evenly, since no inputs are known. What a layer makes of these is not what it
    makes of images, so that only a quantiser of the inputs themselves tells something.
    """
    element, shape = host.lowered.input.type.element, host.lowered.input.onnx_shape[1:]
    if host.prologue is not None or element.bipolar:
        return None
    count = max(1, min(_FRAMES, MOST_VALUES // max(1, int(np.prod(shape)))))
    frames = np.resize(np.arange(element.lo, element.hi + 1), (count, *shape))
    for meeting in _meetings(host, frames):
        misfit = None if meeting.behind else meeting.misfit()
        if misfit is not None and max(misfit.alike, misfit.saturated) >= _MOST_OF_TYPE:
            given = (
                f"input type: {_named(element)} without an input scale goes from {element.lo} to {element.hi}"
            )
            return f"{given}, and {_fault(misfit, meeting)}; {_scale_remedy(element)}"
    return None


def warn_of_layers(layers: Iterable[HostLayer]) -> tuple[str, ...]:
    """Warn of layers that are hardly meant to stay on the host; what was said."""
    said = tuple(layer.sentence for layer in layers if layer.unintended)
    for sentence in said:
        warn(sentence, HostLayerWarning)
    return said


def _spread(frames: Array) -> Array:
    """So many of the frames that there are not too many values, evenly spread."""
    most = max(1, min(_FRAMES, MOST_VALUES // max(1, frames[0].size)))
    return frames[np.linspace(0, len(frames) - 1, min(len(frames), most)).astype(np.int64)]


def _find_fault(host: Host, frames: Array) -> str | None:
    for meeting in _meetings(host, frames):
        misfit = meeting.misfit()
        if misfit is not None:
            return _fault(misfit, meeting)
    distances = None if host.prologue is None else host.prologue.distances(frames)
    if distances is None:
        return None
    distances = np.nan_to_num(distances)
    axes = tuple(axis for axis in range(distances.ndim) if axis != 1)
    times = float(np.median(np.sqrt(np.square(distances, dtype=np.float64).mean(axis=axes))))
    norm = "the model's first batch normalisation"
    return (
        f"{norm} gets values {times:.0f} times as far from its means as in training"
        if times >= _MOST_TIMES
        else None
    )


def _meetings(host: Host, frames: Array) -> Iterator[_Meeting]:
    """Where the frames first meet quantisers: on the host, and in hardware behind nothing or one layer."""
    if host.prologue is not None:
        positions = host.prologue.positions(frames)
        if positions is not None:
            yield _on_host(host, frames, np.nan_to_num(positions).astype(np.float64))
        return
    integers = host.encode(frames)
    for node, values, direct in _first_thresholds(host, integers):
        meeting = _in_hardware(node, values.reshape(-1, node.input_type.channels), direct)
        if meeting is not None:
            yield meeting


def _on_host(host: Host, frames: Array, positions: Array) -> _Meeting:
    end = host.lowered.input
    element = end.type.element
    common = _commonest(frames if frames.size == positions.size else positions).reshape(positions.shape)
    takes = gets = None
    if end.scale.size == 1 and end.zero.size == 1:
        scale, zero = float(end.scale.reshape(())), int(end.zero.reshape(()))
        takes = ((element.lo - zero) * scale, (element.hi - zero) * scale)
        gets = ((float(positions.min()) - zero) * scale, (float(positions.max()) - zero) * scale)
    two = element.bipolar or element.hi - element.lo == 1
    sure = len(frames) >= _FEWEST_FRAMES or _are_images(frames)
    return _Meeting(positions, element.lo, element.hi, two, common, takes, gets, judges_alike=sure)


def _first_thresholds(host: Host, integers: Array) -> Iterator[tuple[IntThreshold, Array, bool]]:
    """The first quantisers on each way from the input, what reaches them, and whether it is the input."""
    entry = host.lowered.input.tensor
    known = {entry: integers}
    for node in host.lowered.graph.nodes:
        if not all(name in known for name in node.inputs) or isinstance(node, IntCustom):
            continue
        if isinstance(node, IntThreshold):
            yield node, known[node.input], node.input == entry
            continue
        known.update(zip(node.outputs, node.evaluate(*(known[name] for name in node.inputs)), strict=True))


def _in_hardware(node: IntThreshold, values: Array, direct: bool) -> _Meeting | None:
    """Integers `[..., channels]` among the thresholds; of a layer's sums only where all levels are met."""
    first, last = node.thresholds[:, 0], node.thresholds[:, -1]
    levels = node.thresholds.shape[1]
    if not direct:
        met = (values.min(axis=0) <= first) & (values.max(axis=0) >= last)
        if levels == 1 or met.mean() < 0.5:
            return None
        values, first, last = values[:, met], first[met], last[met]
        positions = _positions(values, first, last, levels)
        none = np.zeros(values.shape, np.bool_)
        return _Meeting(positions, 0, levels, False, none, reach=_REACH_BEHIND)
    common = _commonest(values)
    if levels == 1:
        return _Meeting(values - first, 0, 1, True, common, judges_alike=_at_the_edge(node))
    positions = _positions(values, first, last, levels)
    inside = (values >= first) & (values < last)
    positions = np.where(inside, count_reached(values, node.thresholds), positions)
    takes = (float(first.min()) - 1, float(last.max()))
    return _Meeting(positions, 0, levels, False, common, takes)


def _at_the_edge(node: IntThreshold) -> bool:
    """Whether what parts two levels lies at an end of the type: other inputs are on one level by chance."""
    low, high = node.input_type.element.lo, node.input_type.element.hi
    place = float(np.median(node.thresholds) - low) / (high - low)
    return not _EDGE < place < 1 - _EDGE


def _positions(values: Array, first: Array, last: Array, levels: int) -> Array:
    """Where integers lie among levels, by the mean distance of thresholds, which lie below whole numbers."""
    step = (last - first + 1) / levels
    below, above = 0.5 + (values - first + 1) / step, levels - 0.5 + (values - last) / step
    between = 0.5 + (values - first) / step
    return np.where(values < first, below, np.where(values >= last, above, between))


def _commonest(values: Array) -> Flags:
    """Where the commonest of all values stands, as the black of an image does."""
    different, counts = np.unique(values, return_counts=True)
    result: Flags = values == different[np.argmax(counts)]
    return result


def _fault(misfit: Misfit, meeting: _Meeting) -> str:
    """What is wrong, as the rest of a sentence on the values."""
    quantiser = "the model's first quantiser"
    if misfit.alike:
        levels = "one of the two" if meeting.two else f"two of the {meeting.high - meeting.low + 1}"
        share = f"{_per_cent(misfit.alike)} of them, the commonest left out,"
        return f"{share} fall on {levels} levels of {quantiser}"
    share = _per_cent(misfit.saturated)
    if meeting.takes is None:
        return f"{share} of what reaches {quantiser} saturates there"
    takes = f"which takes {meeting.takes[0]:g} to {meeting.takes[1]:g}"
    gets = "" if meeting.gets is None else f" and gets {meeting.gets[0]:g} to {meeting.gets[1]:g}"
    return f"{share} of them saturate at {quantiser}, {takes}{gets}"


def _remedy(host: Host, frames: Array) -> str:
    end = host.lowered.input
    if host.prologue is None:
        return _scale_remedy(end.type.element, float(end.scale.reshape(-1)[0]))
    largest = float(np.abs(frames).max())
    if largest <= 1:
        return "multiply them by 255" if _fits(host, frames * _PIXEL) else _AS_TRAINED
    if _are_images(frames) and _fits(host, frames / _PIXEL):
        return f"divide them by {_PIXEL}"
    return f"{_AS_TRAINED}; divided by {largest:g} they fit" if _fits(host, frames / largest) else _AS_TRAINED


def _are_images(frames: Array) -> bool:
    """Whether they look like pixels of 8 bits."""
    return 16 < float(np.abs(frames).max()) <= _PIXEL and bool((frames == np.rint(frames)).all())


def _fits(host: Host, frames: Array) -> bool:
    return _find_fault(host, frames) is None


def _scale_remedy(element: IntType, scale: float = 1.0) -> str:
    if scale != 1:
        return f"build with the --input-scale that the model was trained for, which is hardly {scale:g}"
    largest, low = max(-element.lo, element.hi), -1 if element.signed else 0
    return f"build with --input-scale 1/{largest} if the model was trained on {low} to 1"


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _named(element: IntType) -> str:
    return str(element).partition("[")[0]
