"""Whether what is given to an accelerator fits the first quantiser of its model, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from thresher.errors import HostLayerWarning, InputWarning
from thresher.host import Host
from thresher.ir.graph import Array
from thresher.lower import HostLayer
from thresher.meetings import Meeting, are_images, find_meetings
from thresher.saturation import MOST_VALUES, Misfit
from thresher.warn import warn
from thresher_sim.streams import IntType

_FRAMES = 256
# So many times as far from their means as in training values were never meant for the model.
_MOST_TIMES = 8
# A quantiser of the input does not leave so much of its type aside; pixels of 0..15 may come as uint8.
_MOST_OF_TYPE = 0.95
# The largest pixel of images of 0 to 1 is hardly less.
_DARKEST = 0.1
_AS_TRAINED = "give them as in training"


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
    for meeting in find_meetings(host, frames):
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


def _find_fault(host: Host, frames: Array, sure: bool = False) -> str | None:
    """What is wrong; with `sure` a few frames that are alike are as well."""
    for meeting in find_meetings(host, frames):
        misfit = meeting.misfit(sure=True)
        by_chance = misfit is not None and not sure and meeting.misfit() is None
        if misfit is not None and (not by_chance or _fits_scaled(host, frames)):
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


def _fault(misfit: Misfit, meeting: Meeting) -> str:
    """What is wrong, as the rest of a sentence on the values."""
    quantiser = "the model's first quantiser"
    if misfit.alike:
        few = ("one", "two")[misfit.levels - 1]
        count = "two" if meeting.two else meeting.high - meeting.low + 1
        share = f"{_per_cent(misfit.alike)} of them, the commonest left out,"
        return f"{share} fall on {few} of the {count} levels of {quantiser}"
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
        scaled = largest > _DARKEST and _fits(host, frames * 255)
        return "multiply them by 255" if scaled else _AS_TRAINED
    if _fits_scaled(host, frames):
        return "divide them by 255"
    return f"{_AS_TRAINED}; divided by {largest:g} they fit" if _fits(host, frames / largest) else _AS_TRAINED


def _fits_scaled(host: Host, frames: Array) -> bool:
    """Whether they are pixels of 8 bits, which the model takes as 0 to 1."""
    return host.prologue is not None and are_images(frames) and _find_fault(host, frames / 255, True) is None


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
