"""Signs and steps written in standard operators, recognised by what they compute.

Frameworks export one binary activation in many ways: `Sign`, `Equal` and `Where`; a comparison and `Where`;
a comparison, `Cast`, `Mul` and `Sub`; Larq's `Sign(Sign(x) + 0.1)`. All of them compare a tensor with a
constant, and go on with what comes out. So the importer follows such values: a tensor is a `Step` where it
is known for x below the threshold, on it, and above. What ONNX computes from these three, operator by
operator, is a step again; one of two values that lie on a grid is a quantiser of x itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Ints
from thresher.ir.quantisers import Binariser
from thresher.onnx_import.constants import shrunk
from thresher.onnx_import.folding import evaluate_node
from thresher.onnx_import.masks import masked_step
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode
from thresher.onnx_import.steps import Step
from thresher_sim.streams import BIPOLAR, IntType

# Operators that tell x from a constant, with what they give below it, on it and above.
_COMPARISONS: Mapping[str, tuple[bool, bool, bool]] = MappingProxyType(
    {
        "Equal": (False, True, False),
        "Greater": (False, False, True),
        "GreaterOrEqual": (False, True, True),
        "Less": (True, False, False),
        "LessOrEqual": (True, True, False),
    }
)

# Operators that work element by element; what they make of the values of a step is a step.
_POINTWISE = frozenset(
    {
        *_COMPARISONS,
        *("Abs", "Add", "And", "Cast", "Clip", "Div", "Max", "Min", "Mul", "Neg", "Not", "Or", "Relu"),
        *("Round", "Sign", "Sub", "Where", "Xor"),
    }
)
# Those that make multiples.
_SCALES = frozenset({"Div", "Mul", "Neg"})


def follow_step(scope: Scope, node: SourceNode) -> Binariser | None:
    """Note in `scope` what `node` writes where it is a step; the quantiser that it is, if it is one."""
    step = _step(scope, node) if node.is_standard else None
    if step is None:
        return None
    output = node.outputs[0]
    scope.steps[output] = step
    scope.shapes[output] = scope.shapes[step.source]
    made = _binariser(step, node)
    if made is not None and not made.undecided:
        scope.binarised.add(output)
    return made


def reads_mask(scope: Scope, node: SourceNode) -> bool:
    """Whether it reads the truth of a comparison, which is no number that an operator could take."""
    steps = (scope.steps.get(name) for name in dynamic_inputs(scope, node))
    return any(step is not None and step.below.dtype == np.bool_ for step in steps)


def _step(scope: Scope, node: SourceNode) -> Step | None:
    """The step that `node` writes.

    A quantiser that is read elsewhere too is one by itself, and its multiples are no further ones.
    """
    dynamic = dynamic_inputs(scope, node)
    if node.op in _SCALES and any(
        name in scope.binarised and scope.source.readers[name] > 1 for name in dynamic
    ):
        return None
    if node.op not in _POINTWISE:
        return masked_step(scope, node)
    reads_step = any(name in scope.steps for name in dynamic)
    return _continued(scope, node) if reads_step else _begun(scope, node)


def _begun(scope: Scope, node: SourceNode) -> Step | None:
    """The step that a comparison of a tensor with a constant is, or the sign of a tensor."""
    dynamic = dynamic_inputs(scope, node)
    if len(dynamic) != 1:
        return None
    source = dynamic[0]
    zero = np.asarray(0, np.float32)
    if node.op == "Sign":
        return Step(source, zero, zero - 1, zero, zero + 1, (node.name,))
    if node.op == "Round":
        low, high = scope.range_of(source)
        half = np.asarray(0.5, np.float32)
        # A half rounds to zero, which is even.
        fits = low >= -half and high < 1 + half
        return Step(source, half, zero, zero, zero + 1, (node.name,)) if fits else None
    if node.op not in _COMPARISONS or len(node.inputs) != 2:
        return None
    first = scope.is_constant(node.inputs[0])
    threshold = scope.value(node.inputs[0 if first else 1])
    if threshold is None or threshold.dtype != np.float32 or not np.isfinite(threshold).all():
        return None
    below, at, above = (np.asarray(value) for value in _COMPARISONS[node.op])
    if first:
        below, above = above, below
    return _fitting(scope, Step(source, shrunk(threshold), below, at, above, (node.name,)))


def _continued(scope: Scope, node: SourceNode) -> Step | None:
    """The step that `node` makes of steps of one tensor around one threshold, and of constants."""
    steps = [scope.steps.get(name) for name in dynamic_inputs(scope, node)]
    first = steps[0]
    if first is None or not all(step is not None and first.alike(step) for step in steps):
        return None
    below, at, above = (_evaluated(scope, node, place) for place in ("below", "at", "above"))
    names = dict.fromkeys(name for step in steps if step is not None for name in step.onnx_nodes)
    return _fitting(scope, Step(first.source, first.threshold, below, at, above, (*names, node.name)))


def _evaluated(scope: Scope, node: SourceNode, place: str) -> Array:
    """What `node` makes of the values that its inputs have at one `place` of their steps."""
    values: list[Array | None] = []
    for name in node.inputs:
        step = scope.steps.get(scope.resolve(name))
        values.append(scope.value(name) if step is None else getattr(step, place))
    return shrunk(evaluate_node(scope, node, values)[0])


def _fitting(scope: Scope, step: Step) -> Step | None:
    """The step, if its constants leave the shape of its tensor as it is."""
    shape = scope.shapes[step.source]
    try:
        whole = np.broadcast_shapes(shape, *(part.shape for part in step.parts))
    except ValueError:
        return None
    return step if whole == shape else None


def _binariser(step: Step, node: SourceNode) -> Binariser | None:
    """The quantiser that `step` is, if it has two values on a grid: -s and s, or 0 and s."""
    if step.below.dtype != np.float32:
        return None
    below, at, above = np.broadcast_arrays(step.below, step.at, step.above)
    if not all(np.isfinite(part).all() for part in (below, at, above)):
        return None
    scale, element = np.maximum(np.abs(below), np.abs(above)), IntType(0, 1)
    if (scale <= 0).any():
        return None
    if (below == -above).all():
        element = BIPOLAR
    elif not (((below == 0) | (above == 0)) & (np.maximum(below, above) > 0)).all():
        return None
    decided = (at == below) | (at == above)
    return Binariser(
        name=node.name,
        inputs=(step.source,),
        outputs=node.outputs,
        onnx_nodes=step.onnx_nodes,
        scale=shrunk(scale),
        zero=np.zeros((), np.float32),
        element=element,
        rounding="ROUND",
        threshold=step.threshold,
        below=_levels(below),
        at=_levels(np.where(decided, at, above)),
        above=_levels(above),
        undecided=not decided.all(),
    )


def _levels(values: Array) -> Ints:
    """Which of -1, 0 and 1 times the scale each value is."""
    return shrunk(np.sign(values).astype(np.int64))
