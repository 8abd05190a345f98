"""`x + (q(x) - x)`: a straight-through estimator, written with `detach`, that reached the export.

In the real numbers it is q(x). In float32 both operations round, and yet it is q(x) exactly

1. where q is -1 or 1 with the sign of x, or 0 (and x less than 2**24): for x of at least 1 the difference
   is a multiple of the last place of x and no longer than x, hence exact; for smaller x it is off by at
   most 2**-25, and the sum rounds back to 1;
2. where q rounds x to the nearest of its steps: one is at most twice the other, so that their difference is
   exact (P. H. Sterbenz, Floating-Point Computation, 1974).

Elsewhere, as where a quantiser limits x, the model computes with values beside those of the quantiser, and
no integers are exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thresher.ir.quant import HostOnly, QuantNode
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode
from thresher.onnx_import.steps import Step

_REASON = (
    "it is part of x + (q(x) - x), a straight-through estimator, which float32 rounds to values beside those "
    "of the quantiser q"
)
_REMEDY = "let forward return q(x) in eval mode, or write the estimator as a torch.autograd.Function"
_ROUNDS = frozenset({"Round", "Floor", "Ceil"})
# What may stand around a rounding: the latter limit x.
_SCALES = frozenset({"Div", "Mul"})
_LIMITS = frozenset({"Clip", "Max", "Min", "Relu"})


def is_exact_estimator(scope: Scope, node: SourceNode) -> bool:
    """Whether `node` adds up an estimator that is exactly its quantiser, of which it is then another name."""
    quantised = _estimated(scope, node)
    if quantised is None or not _is_exact(scope, quantised, *_others(scope, node)):
        return False
    scope.aliases[node.outputs[0]] = quantised
    return True


def translate_straight_through(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """The host's node for either operator of an estimator; nothing for any other operator."""
    dynamic = dynamic_inputs(scope, node)
    if not node.is_standard or len(dynamic) != 2:
        return []
    if node.op == "Sub" and _chain(scope, *dynamic) is not None:
        scope.residues[node.outputs[0]] = dynamic
    elif _estimated(scope, node) is None:
        return []
    return [HostOnly(node.name, dynamic, node.outputs, (node.name,), _REASON, _REMEDY)]


def _estimated(scope: Scope, node: SourceNode) -> str | None:
    """The quantised tensor of which `node` adds up an estimator."""
    dynamic = dynamic_inputs(scope, node)
    if node.op != "Add" or not node.is_standard or len(dynamic) != 2:
        return None
    for x, residue in (dynamic, dynamic[::-1]):
        if residue in scope.residues and scope.residues[residue][1] == x:
            return scope.residues[residue][0]
    return None


def _others(scope: Scope, node: SourceNode) -> Sequence[str]:
    """What was quantised, of the inputs of an estimator's addition."""
    return [name for name in dynamic_inputs(scope, node) if name not in scope.residues]


def _is_exact(scope: Scope, quantised: str, source: str) -> bool:
    step = scope.steps.get(quantised)
    if step is not None:
        return _keeps_sign(step)
    chain = _chain(scope, quantised, source)
    return chain is not None and {node.op for node in chain} <= {"Round", *_SCALES}


def _keeps_sign(step: Step) -> bool:
    """Case 1: 1 is nowhere below zero, and -1 nowhere above it."""
    zero_below = (step.below == 0) | ((step.below == -1) & (step.threshold == 0))
    at = (step.at == step.above) | (step.at == step.below)
    return bool(np.all((step.above == 1) & (step.threshold >= 0) & zero_below & at))


def _chain(scope: Scope, tensor: str, source: str) -> list[SourceNode] | None:
    """The nodes by which `tensor` quantises `source`, None where it does not; a step is none of them."""
    chain: list[SourceNode] = []
    while tensor != source:
        step = scope.steps.get(tensor)
        if step is not None:
            return chain if step.source == source else None
        node = scope.source.writers.get(tensor)
        dynamic = dynamic_inputs(scope, node) if node is not None else ()
        if node is None or len(dynamic) != 1 or node.op not in _ROUNDS | _SCALES | _LIMITS:
            return None
        chain.append(node)
        tensor = dynamic[0]
    return chain if any(node.op in _ROUNDS for node in chain) else None
