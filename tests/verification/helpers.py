"""Holding a model to itself, as a build does, with or without a fault in what was lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import onnx

from thresher.building import BuildOptions, Prepared, hold_to_model, prepare
from thresher.emit.design import Design
from thresher.float_layers import host_of
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_by_default
from thresher.hardware.select import select_kernels
from thresher.ir.graph import Array
from thresher.ir.integer import IntGraph, IntNode
from thresher.kernels.installed import custom_operators
from thresher.lower import Lowered
from thresher.onnx_import import parse_model
from thresher.verification import TensorResult, Verification, verify_frames


def prepared(proto: onnx.ModelProto, **options: Any) -> Prepared:
    return prepare(parse_model(proto.SerializeToString(), "m.onnx"), BuildOptions(**options))


def held(proto: onnx.ModelProto, samples: Array | None = None, **options: Any) -> Verification:
    """What a build of the model finds."""
    return hold_to_model(prepared(proto, **options), samples)


def held_on(proto: onnx.ModelProto, frames: Array, **options: Any) -> Verification:
    """What `thresher verify` finds on frames of a user's."""
    made = prepared(proto, **options)
    return verify_frames(made.model, made.layers, host_of(made.design), frames, custom_operators())


def with_node(made: Prepared, name: str, change: Callable[[Any], IntNode]) -> Prepared:
    """The design with one integer operator changed, as a fault of the lowering would have it."""
    lowered = made.design.lowered
    nodes = tuple(change(node) if node.name == name else node for node in lowered.graph.nodes)
    return with_lowered(
        made, replace(lowered, graph=IntGraph(nodes, lowered.graph.inputs, lowered.graph.outputs))
    )


def with_lowered(made: Prepared, lowered: Lowered) -> Prepared:
    layers = fold_by_default(select_kernels(lowered.graph))
    design: Design = replace(made.design, lowered=lowered, layers=layers, graph=connect(layers))
    return replace(made, design=design)


def by_tensor(result: Verification) -> Mapping[str, TensorResult]:
    return {each.tensor: each for each in result.tensors}
