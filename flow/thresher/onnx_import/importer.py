"""The walk from ONNX nodes to typed nodes, once, in the order of the file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np
import onnx

from thresher.errors import NodeError, UsageError, printable
from thresher.ir.custom import NO_OPERATORS, Custom, Operators
from thresher.ir.graph import Array
from thresher.ir.quant import HostQuantiser, OnnxNode, QuantGraph, QuantNode, Refused, Role
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import.folding import fold_node
from thresher.onnx_import.input_scale import is_dropped_scale, keep_on_host
from thresher.onnx_import.masks import masked_step
from thresher.onnx_import.ranges import note_ranges
from thresher.onnx_import.reader import OnnxModel
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.shapes import note_likely_shape, note_shapes
from thresher.onnx_import.sign_patterns import follow_step, reads_mask
from thresher.onnx_import.source import FLOAT_MODEL, Source, SourceNode, read_source, unsupported
from thresher.onnx_import.straight_through import is_exact_estimator, translate_straight_through
from thresher.onnx_import.translate import (
    COMPARING,
    PASSED_THROUGH,
    TRANSLATORS,
    host_only,
    reads_more,
    translate_custom,
)
from thresher.onnx_import.validity import check_node, check_repeatable

Translated = Sequence[Sequence[QuantNode]]


@dataclass(frozen=True, eq=False)
class Imported:
    """An imported network, and what is needed to cut the rest of the model out for the host.

    `output_type` is the ONNX data type of the model's output, float32 where the file has none.
    """

    graph: QuantGraph
    scope: Scope
    output_type: int

    @property
    def dropped(self) -> tuple[str, ...]:
        """The ONNX nodes that were left out because that was asked for, so that the outputs differ."""
        return tuple(self.scope.dropped)


def import_model(
    model: OnnxModel,
    keep_going: bool = False,
    operators: Operators = NO_OPERATORS,
    drop_input_scale: bool = False,
) -> Imported:
    """Translate `model`, and with it nodes of custom domains that `operators` has.

    An operator that is not supported becomes a `HostOnly` node, which is an error only between
    quantised layers; one with parameters that make no sense is an error at once or, with
    `keep_going`, a `Refused` node. A layer that is multiplied by XNOR-Net's K is the host's, or
    with `drop_input_scale` is taken without it.

    Raises:
        UnsupportedModelError: The model or a node of it cannot be taken.
        UsageError: The file is not valid ONNX.
    """
    source = read_source(model)
    constants, shapes = dict(source.initialisers), {source.input: source.input_shape}
    scope = Scope(source, operators, constants, shapes=shapes, drops_input_scale=drop_input_scale)
    translated = _translate_all(scope, keep_going)
    _check_quantised(source, translated)
    translated = keep_on_host(scope, translated)
    output = scope.resolve(source.output)
    if not any(output in node.outputs for nodes in translated for node in nodes):
        raise UsageError(
            f"import: model '{printable(model.name)}': output '{printable(output)}' does not depend on the "
            "input; export the model again"
        )
    used = _used(itertools.chain.from_iterable(translated), output)
    names = {node.name for node in used}
    listed = [
        OnnxNode(node.name, node.op, _role(scope, node, nodes, names))
        for node, nodes in zip(source.nodes, translated, strict=True)
    ]
    graph = QuantGraph(used, (source.input,), (output,), dict(scope.shapes), tuple(listed))
    output_type = model.proto.graph.output[0].type.tensor_type.elem_type
    return Imported(graph, scope, output_type or onnx.TensorProto.FLOAT)


def _check_quantised(source: Source, translated: Translated) -> None:
    """A model without any quantiser is a float model, unless something in it was refused."""
    typed = [node for nodes in translated for node in nodes]
    quantised = any(isinstance(node, Quantiser | Refused | Custom) for node in typed)
    if not quantised and not any(node.is_quantiser for node in source.nodes):
        raise unsupported(source.model, *FLOAT_MODEL)


def _translate_all(scope: Scope, keep_going: bool) -> Translated:
    """The typed nodes of every ONNX node, in order."""
    source = scope.source
    known = {"", source.input, *source.initialisers, *source.unused}
    translated: list[Sequence[QuantNode]] = []
    for node in source.nodes:
        _check_sorted(node, known)
        known.update(node.outputs)
        if node.name not in source.needed:
            translated.append([])
            continue
        try:
            check_node(node, source.model.opset)
            translated.append(_translate(scope, node))
        except NodeError as problem:
            if not keep_going:
                raise
            translated.append([_refused(scope, node, problem)])
    return translated


def _used(nodes: Iterable[QuantNode], output: str) -> tuple[QuantNode, ...]:
    """The nodes that `output` depends on."""
    wanted = {output}
    used: list[QuantNode] = []
    for node in reversed(list(nodes)):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            used.append(node)
    return tuple(reversed(used))


def _role(scope: Scope, node: SourceNode, translated: Sequence[QuantNode], used: Set[str]) -> Role:
    if node.name in scope.dropped:
        return "dropped"
    if node.name not in scope.source.needed:
        return "unused"
    if not translated:
        return "folded"
    return "computed" if any(each.name in used for each in translated) else "unused"


def _check_sorted(node: SourceNode, known: set[str]) -> None:
    unknown = next((name for name in node.inputs if name not in known), None)
    again = (name for name in node.outputs if name and (name in known or node.outputs.count(name) > 1))
    twice = next(again, None)
    if unknown is None and twice is None:
        return
    what = f"reads '{unknown}' before it is written" if twice is None else f"writes '{twice}' again"
    raise UsageError(
        f"import: node '{printable(node.name)}': it {printable(what)}, so the file is not valid ONNX; "
        "export the model again"
    )


def _translate(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """Translate one node; constants and nodes that do nothing give no nodes, and are noted in `scope`."""
    check_repeatable(node, _trains(scope, node))
    if all(scope.is_constant(name) for name in node.reads):
        fold_node(scope, node)
        return []
    if node.is_standard and node.op in PASSED_THROUGH and not reads_more(scope, node):
        scope.pass_through(node.inputs[0], node.outputs[0])
        return []
    unknown = any(name not in scope.shapes for name in dynamic_inputs(scope, node))
    if unknown and masked_step(scope, node) is None:
        left = host_only(scope, node, f"{node.op} follows an operator that is not supported")
        if node.is_quantiser:
            left = HostQuantiser(
                left.name, left.inputs, left.outputs, left.onnx_nodes, left.reason, left.remedy
            )
        return [left]
    if is_dropped_scale(scope, node) or is_exact_estimator(scope, node):
        return []
    if node.is_standard and node.op == "Shape":
        scope.constants[node.outputs[0]] = _shape_value(scope, node)
        return []
    translated = _translate_computed(scope, node)
    note_shapes(scope, node, translated)
    note_ranges(scope, node, translated)
    return translated


def _translate_computed(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    if not node.is_standard and not node.is_quantiser:
        return [translate_custom(scope, node)]
    step = follow_step(scope, node)
    if step is not None:
        return [step]
    estimator = translate_straight_through(scope, node)
    if estimator:
        return estimator
    reason = f"operator {node.op} is not supported"
    if node.op in COMPARING:
        reason += " but where it compares a tensor with a constant, and two values on a grid come of that"
    translator = TRANSLATORS.get(node.op)
    if translator is None or reads_more(scope, node) or reads_mask(scope, node):
        return [host_only(scope, node, reason)]
    return translator(scope, node)


def _refused(scope: Scope, node: SourceNode, problem: NodeError) -> Refused:
    """Stands for a node that was refused; its output has a shape, so that the walk can go on."""
    inputs = dynamic_inputs(scope, node)
    if inputs and all(name in scope.shapes for name in inputs):
        note_likely_shape(scope, node)
    outputs = tuple(name for name in node.outputs if name)
    return Refused(node.name, inputs, outputs, (node.name,), problem.reason, problem.remedy)


def _trains(scope: Scope, node: SourceNode) -> bool:
    return node.is_standard and node.op == "Dropout" and bool(scope.scalar(node, 2, "training mode"))


def _shape_value(scope: Scope, node: SourceNode) -> Array:
    first, last = node.attributes.get("start", 0), node.attributes.get("end")
    return np.asarray(scope.shape(node)[first:last], np.int64)
