"""Where the integer network can be held to the model: integer tensors that stand for tensors of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from thresher.ir.integer import Flags, IntNode
from thresher.ir.quantisers import Quantiser
from thresher.lower.ends import unfinished
from thresher.lower.forms import Pending
from thresher.lower.lowered import Checkpoint
from thresher.lower.lowering import Lowering


def find_checkpoints(
    lowering: Lowering, nodes: tuple[IntNode, ...], negated: Mapping[str, Flags]
) -> tuple[Checkpoint, ...]:
    """The checkpoints of the network `nodes`, in the order in which the model computes them.

    `negated` are the channels of tensors whose integers were negated after lowering.
    """
    written = {nodes[0].input, *(tensor for node in nodes for tensor in node.outputs)}
    found: dict[tuple[str, str], Checkpoint] = {}
    for each in _all(lowering):
        if each.tensor in written:
            found.setdefault((each.tensor, each.onnx_tensor), each)
    return tuple(
        each.negated(negated[each.tensor]) if each.tensor in negated else each for each in found.values()
    )


def _all(lowering: Lowering) -> Iterator[Checkpoint]:
    """Those of quantisers first, so that the same tensor is not taken for another's."""
    entry = lowering.entry
    if entry is not None:
        yield _checkpoint(entry, levels=True)
    for join in lowering.joined:
        own_error = 0.0 if join.approximation is None else join.approximation.own_error
        yield replace(_checkpoint(join.result, levels=False), own_error=own_error, reader=join.reader)
    for node in lowering.graph.nodes:
        for output in node.outputs:
            form = lowering.forms.get(output)
            if isinstance(form, Pending):
                yield _checkpoint(form, levels=isinstance(node, Quantiser) and not form.steps)


def _checkpoint(form: Pending, levels: bool) -> Checkpoint:
    """What the integers of `form` mean before its steps."""
    factor = unfinished(form)
    flat = form.index.reshape(-1)
    natural = np.array_equal(flat, np.arange(form.size))
    none = np.zeros(form.channels)
    return Checkpoint(
        tensor=form.tensor,
        onnx_tensor=form.onnx_tensor,
        shape=form.index.shape,
        vectors=form.vectors,
        channels=form.channels,
        order=None if natural else flat.astype(np.int32),
        lo=form.lo,
        hi=form.hi,
        scale=form.scale * factor,
        zero=form.zero,
        offset=none if form.offset is None else form.offset * factor,
        slack=none if form.slack is None else form.slack * abs(factor),
        levels=levels,
        product=form.known_product if factor == 1 else None,
    )
