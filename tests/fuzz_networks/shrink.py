"""Making a failing network smaller: parts are left out or made simple for as long as it fails alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tests.fuzz_networks.description import Description
from tests.fuzz_networks.judge import Verdict, judge
from tests.fuzz_networks.values import Step
from tests.fuzz_networks.weights import Weights

MOST_TRIALS = 500
_KEPT = ("sources", "seed")


def shrink(
    description: Description, verifies: bool = True, trials: int = MOST_TRIALS
) -> tuple[Description, Verdict]:
    """The smallest network that was found to fail as `description` does, and its verdict."""
    found = judge(description, verifies)
    fails = _same_failure(found)
    while trials > 0:
        for candidate in _simpler(description):
            trials -= 1
            verdict = judge(candidate, verifies)
            if fails(verdict):
                description, found = candidate, verdict
                break
            if trials <= 0:
                break
        else:
            break
    return description, found


def _same_failure(verdict: Verdict) -> Callable[[Verdict], bool]:
    return lambda other: (other.kind, other.what) == (verdict.kind, verdict.what)


def _simpler(description: Description) -> Iterator[Description]:
    """Networks that are simpler in one respect, the boldest first."""
    yield from _shorter(description)
    plain = Description(description.entry, description.steps)
    for name in ("argmax", "add_bits", "style"):
        if getattr(description, name) != getattr(plain, name):
            yield replace(description, **{name: getattr(plain, name)})
    for each in fields(description.style):
        if getattr(description.style, each.name) != each.default:
            default: dict[str, Any] = {each.name: each.default}
            yield replace(description, style=replace(description.style, **default))
    entry = description.entry
    if entry.input_type:
        yield replace(description, entry=replace(entry, input_type="", scale=1.0))
        yield replace(description, entry=replace(entry, scale=1.0))
    for axis, size in enumerate(entry.shape):
        for less in sorted({1, size // 2, size - 1}):
            if 0 < less < size:
                shape = (*entry.shape[:axis], less, *entry.shape[axis + 1 :])
                yield replace(description, entry=replace(entry, shape=shape))
    for place, step in enumerate(description.steps):
        for simple in _simple(step):
            yield _with_step(description, place, simple)


def _shorter(description: Description) -> Iterator[Description]:
    """Ending earlier, and without one of the steps, whose readers then read one of its sources."""
    steps = description.steps
    for last in range(1, len(steps)):
        yield replace(description, steps=steps[:last]).pruned()
    for place, step in enumerate(steps, start=1):
        if len(steps) == 1:
            return
        for source in dict.fromkeys(step.sources):
            left = [
                replace(other, sources=tuple(_renumbered(number, place, source) for number in other.sources))
                for index, other in enumerate(steps, start=1)
                if index != place
            ]
            yield replace(description, steps=tuple(left)).pruned()
    for place, step in enumerate(steps):
        if len(step.sources) > 2:
            yield _with_step(description, place, replace(step, sources=step.sources[:2]))


def _renumbered(number: int, left_out: int, source: int) -> int:
    if number == left_out:
        return source
    return number - (number > left_out)


def _with_step(description: Description, place: int, step: Step) -> Description:
    steps = (*description.steps[:place], step, *description.steps[place + 1 :])
    return replace(description, steps=steps).pruned()


def _simple(part: Any) -> Iterator[Any]:
    """A step, or its weights, with one field at its default or nearer to it."""
    for each in fields(part):
        value = getattr(part, each.name)
        if each.name in _KEPT:
            continue
        if is_dataclass(value):
            for inner in _simple(value):
                yield replace(part, **{each.name: inner})
            if value != Weights():
                yield replace(part, **{each.name: Weights()})
        elif isinstance(value, tuple):
            yield from (replace(part, **{each.name: simple}) for simple in _simple_sizes(value, each.name))
        elif value != each.default:
            yield replace(part, **{each.name: each.default})
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1:
                yield replace(part, **{each.name: value // 2})
                yield replace(part, **{each.name: value - 1})


def _simple_sizes(sizes: tuple[int, ...], name: str) -> Iterator[tuple[int, ...]]:
    """Sizes of windows: none where they may be left out, or one of them less."""
    if name != "kernel" and sizes:
        yield ()
    least = 0 if name == "pads" else 1
    for axis, size in enumerate(sizes):
        if size > least:
            yield (*sizes[:axis], least, *sizes[axis + 1 :])
            yield (*sizes[:axis], size - 1, *sizes[axis + 1 :])
