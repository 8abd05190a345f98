"""The model as its file says it, computed apart from everything that lowers it.

Standard operators run in onnxruntime with its optimisations off, QONNX's by `reference_operators`; nothing
of the importer's translation is used. The nodes are cut into steps behind chosen tensors, so that the reader
may put other values there before the nodes behind them are computed: a tensor is then judged by the model's
own values of the tensors before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import onnx
from onnx import helper, numpy_helper

from thresher.errors import printable
from thresher.ir.domains import STANDARD
from thresher.ir.graph import Array
from thresher.onnx_import.reference_operators import apply_qonnx
from thresher.onnx_import.session import Session
from thresher.onnx_import.source import Source, SourceNode, needed_nodes

Frames = list[Array]
"""The values of one tensor, an array for each frame."""


@dataclass
class Step:
    """Nodes that are computed together, between two tensors that may be given other values.

    `reads` are what they need of tensors computed before, `writes` what is read behind them.
    """

    nodes: tuple[SourceNode, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    constants: Mapping[str, Array]
    source: Source
    _session: Session | None = field(default=None, repr=False)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Compute one frame.

        Raises:
            RuntimeRefusalError: onnxruntime refuses the nodes.
            NodeError: A QONNX operator is not as specified.
        """
        if self.nodes[0].is_quantiser:
            (node,) = self.nodes
            known = {**self.constants, **feeds}
            return {node.outputs[0]: apply_qonnx(node, [known[name] for name in node.inputs if name])}
        if self._session is None:
            names = dict.fromkeys(f"node '{printable(self.nodes[place].name)}'" for place in (0, -1))
            self._session = Session(self._model(feeds), what=f"verification: {' to '.join(names)}")
        results = self._session.run(dict(feeds))
        return dict(zip(self.writes, results, strict=True))

    def _model(self, feeds: Mapping[str, Array]) -> bytes:
        """The nodes as a model of their own; the types of its inputs are those of `feeds`."""
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(feeds[name].dtype), None)
            for name in self.reads
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in self.writes]
        tensors = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph([node.proto for node in self.nodes], "step", inputs, outputs, tensors)
        proto = self.source.model.proto
        opsets = [opset for opset in proto.opset_import if opset.domain in STANDARD]
        model = onnx.ModelProto(ir_version=proto.ir_version, graph=graph, opset_import=opsets)
        return bytes(model.SerializeToString())


class Reference:
    """The nodes of a model in steps, each of which ends where a tensor of `cuts` or `wanted` is written.

    Nodes of domains that neither ONNX nor QONNX has are no part of it: what they write must be among `cuts`,
    and is given from outside. Nodes that no tensor of `wanted` hangs on are left out.

    Raises:
        RuntimeRefusalError: onnxruntime refuses a constant expression.
        NodeError: A QONNX operator on a constant is not as specified.
    """

    def __init__(
        self, source: Source, nodes: Sequence[SourceNode], cuts: Collection[str], wanted: Collection[str]
    ) -> None:
        used = needed_nodes(nodes, wanted)
        constants = dict(source.initialisers)
        fixed, computed = _split(used, constants)
        for step in _steps(source, fixed, constants, (), {name for node in computed for name in node.reads}):
            constants.update(step.run({name: constants[name] for name in step.reads}))
        self.steps = tuple(_steps(source, computed, constants, cuts, {*wanted, *cuts}))
        self.tensors = {source.input, *(name for node in computed for name in node.outputs)}


def _split(
    nodes: Sequence[SourceNode], constants: Mapping[str, Array]
) -> tuple[list[SourceNode], list[SourceNode]]:
    """The nodes that depend on constants only, and all others."""
    known = set(constants)
    fixed: list[SourceNode] = []
    computed: list[SourceNode] = []
    for node in nodes:
        constant = (node.is_standard or node.is_quantiser) and all(name in known for name in node.reads)
        if constant:
            known.update(node.outputs)
        (fixed if constant else computed).append(node)
    return fixed, computed


def _steps(
    source: Source,
    nodes: Sequence[SourceNode],
    constants: Mapping[str, Array],
    cuts: Collection[str],
    wanted: Collection[str],
) -> Iterator[Step]:
    """`nodes` in groups: a quantiser is one by itself, and a group ends where it writes one of `cuts`."""
    groups: list[list[SourceNode]] = [[]]
    for node in nodes:
        if not (node.is_standard or node.is_quantiser):
            groups.append([])
            continue
        if node.is_quantiser and groups[-1]:
            groups.append([])
        groups[-1].append(node)
        if node.is_quantiser or any(name in cuts for name in node.outputs):
            groups.append([])
    groups = [group for group in groups if group]
    readers = [[name for node in group for name in node.reads] for group in groups]
    last = {name: place for place, names in enumerate(readers) for name in names}
    last.update(dict.fromkeys(wanted, len(groups)))
    for place, group in enumerate(groups):
        written = {name for node in group for name in node.outputs if name}
        read = dict.fromkeys(readers[place])
        yield Step(
            nodes=tuple(group),
            reads=tuple(name for name in read if name not in written and name not in constants),
            writes=tuple(name for name in dict.fromkeys(_outputs(group)) if last.get(name, 0) > place),
            constants={name: constants[name] for name in read if name in constants and name not in written},
            source=source,
        )


def _outputs(nodes: Sequence[SourceNode]) -> Iterator[str]:
    for node in nodes:
        yield from (name for name in node.outputs if name)
