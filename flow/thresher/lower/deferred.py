"""What waits in front of a quantiser for the quantised side: pools and picks, and what is around them."""

from __future__ import annotations

from dataclasses import replace

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher.ir.quant import (
    Arithmetic,
    Clip,
    Elementwise,
    Layout,
    Leaky,
    Negate,
    QuantNode,
    Reshape,
)
from thresher.ir.quant_joins import Pick
from thresher.ir.quant_maps import GlobalPool, MaxPool
from thresher.ir.quantisers import Binariser, Quantiser, Truncation
from thresher.lower.forms import Namer, Pending, Repeat, is_deferred, is_largest
from thresher.lower.join_parts import mirrored
from thresher.lower.maps import pixelwise, take_largest
from thresher.lower.picks import upsample
from thresher.lower.staircase import falling


def first_deferred(form: Pending) -> int | None:
    """The place of the first of the steps of `form` that is deferred."""
    return next((place for place, step in enumerate(form.steps) if is_deferred(step)), None)


def commuted(form: Pending, quantiser: Quantiser) -> Pending | None:
    """The function of each channel that `quantiser` sees where all that is deferred comes after it.

    From where elements change their channel, as by a reshape behind a pool, all must be the same for each:

        pool, batch norm per channel, flatten, ReLU, quantiser      batch norm, ReLU
        pool, flatten, batch norm per element, quantiser            None

    None where it cannot come after it.
    """
    first = first_deferred(form)
    if first is None:
        return form if form.uniform(quantiser) else None
    cut = next(
        (place for place, step in enumerate(form.steps) if place >= first and _regroups(step)),
        len(form.steps),
    )
    tail = form.steps[cut:]
    if any(is_largest(step) for step in tail):
        return None
    functions = tuple(step for step in tail if isinstance(step, Elementwise))
    if tail and not (all(map(_one_for_all, functions)) and _one_level_for_all(quantiser)):
        return None
    alone = replace(form, steps=(*form.steps[:cut], *functions))
    return alone if alone.uniform(quantiser) else None


def _regroups(step: QuantNode) -> bool:
    """Whether elements may have another channel behind a step."""
    return isinstance(step, Reshape) or (isinstance(step, Pick) and not isinstance(step, Repeat))


def _one_for_all(step: Elementwise) -> bool:
    """Whether a step is known to be one function for all elements."""
    match step:
        case Arithmetic():
            return step.constant.size == 1
        case Leaky():
            return step.slope.size == 1
    return isinstance(step, Clip | Negate)


def _one_level_for_all(quantiser: Quantiser) -> bool:
    constants: list[Array] = [quantiser.scale, quantiser.zero]
    if isinstance(quantiser, Binariser):
        constants += [quantiser.threshold, quantiser.below, quantiser.at, quantiser.above]
    if isinstance(quantiser, Truncation):
        constants += [quantiser.source_scale, quantiser.source_zero, quantiser.divisor]
    return all(constant.size == 1 for constant in constants)


def on_integers(form: Pending, place: int, named: Namer) -> tuple[tuple[IntNode, ...], Pending] | None:
    """The steps of `form` up to the deferred one at `place`, with that done on the integers themselves.

    The steps in front of it then come behind it: what they make of the largest integer is the largest of
    what they make of all, where they rise; where they fall, integers are negated first. So the result stands
    for no tensor of the model until it has met them. None where that cannot be.
    """
    before, step = form.steps[:place], form.steps[place]
    moves = [each for each in before if isinstance(each, Layout)]
    functions = before[len(moves) :]
    if any(isinstance(each, Layout) for each in functions):
        return None
    bare = pixelwise(replace(form, steps=tuple(moves)).in_place())
    if bare is None or not replace(bare, steps=functions).alike:
        return None
    nodes: list[IntNode] = []
    if isinstance(step, Repeat):
        made, result = upsample(step, bare, (*form.onnx_nodes, *step.onnx_nodes), named)
        return made, replace(result, steps=functions)
    if not isinstance(step, MaxPool | GlobalPool):
        return None
    if any(isinstance(each, Elementwise) and not each.monotone for each in functions):
        return None
    falls = falling(replace(bare, steps=functions))
    bare = mirrored(step, bare, falls, nodes, named)
    stem = "global_pool" if isinstance(step, GlobalPool) else "pool"
    kept = replace(step, keep=True) if isinstance(step, GlobalPool) else step
    made, result = take_largest(kept, replace(bare, offset=None), None, named("window"), named(stem))
    steps: tuple[QuantNode, ...] = functions
    if isinstance(step, GlobalPool) and not step.keep:
        steps += (Reshape(step.name, step.inputs, step.outputs, step.onnx_nodes, (bare.channels,)),)
    return (*nodes, *made), replace(result, offset=bare.offset, steps=steps)
