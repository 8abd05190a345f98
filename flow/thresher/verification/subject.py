"""What is held to what: an integer network, its ends, and the model that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from thresher.host import Host
from thresher.ir.custom import Custom
from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher.ir.quant import Elementwise, QuantGraph, QuantNode
from thresher.lower import Checkpoint, Lowered
from thresher.onnx_import.reference import Reference
from thresher.onnx_import.reference_changes import ChangedModel, copy_name

Named = TypeVar("Named")


@dataclass(frozen=True, eq=False)
class Subject:
    """An integer network, and the model that it is held to.

    Attributes:
        lowered: the network, with its checkpoints.
        host: its ends.
        graph: the imported network, for the bounds of what float32 can give.
        model: the nodes of the ONNX file, with what the user asked to change.
        aliases: other names of tensors in the file.
    """

    lowered: Lowered
    host: Host
    graph: QuantGraph
    model: ChangedModel
    aliases: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The tensors of the file."""
        nodes = self.model.nodes
        return frozenset({self.model.source.input, *(name for node in nodes for name in node.outputs)})

    @cached_property
    def writers(self) -> Mapping[str, str]:
        """The ONNX node that writes each tensor."""
        return {name: node.name for node in self.model.nodes for name in node.outputs}

    @cached_property
    def entry(self) -> Checkpoint:
        """Where integers enter the hardware."""
        tensor = self.lowered.input.tensor
        return next(each for each in self.lowered.checkpoints if each.tensor == tensor)

    @cached_property
    def makers(self) -> Mapping[str, IntNode]:
        """The operator that writes each integer tensor."""
        return {node.output: node for node in self.lowered.graph.nodes}

    @cached_property
    def points(self) -> Mapping[str, tuple[Point, ...]]:
        """The checkpoints that can be compared at each tensor of the file.

        What a quantiser writes is compared under its other names too, as behind `x + (q(x) - x)`, which adds
        up to that; sums have none but those of operators that do nothing.
        """
        found: dict[str, tuple[Point, ...]] = {}
        for each in self.lowered.checkpoints:
            base = each.onnx_tensor if each.reader is None else copy_name(each.onnx_tensor, each.reader)
            for name, chain in self.behind(base).items():
                found[name] = (*found.get(name, ()), Point(each, chain))
        levels = {name: points for name, points in found.items() if points[0].checkpoint.levels}
        return {**found, **self.under_all_names(levels)}

    def under_all_names(self, found: Mapping[str, Named]) -> Mapping[str, Named]:
        """What belongs to tensors of the file, by all of their names there."""
        others = {
            alias: found[name]
            for alias, name in self.aliases.items()
            if name in found and alias in self.names
        }
        return {**found, **others}

    def behind(self, tensor: str) -> Mapping[str, tuple[QuantNode, ...]]:
        """`tensor` or, where the file has none of that name, the first behind it and the operators between.

        Such is a product within an operator that adds a bias as well.
        """
        if tensor in self.names:
            return {tensor: ()}
        chains: dict[str, tuple[QuantNode, ...]] = {tensor: ()}
        found: dict[str, tuple[QuantNode, ...]] = {}
        for node in self.graph.nodes:
            if len(node.inputs) == 1 and node.input in chains and isinstance(node, Elementwise):
                chain = (*chains[node.input], node)
                (found if node.output in self.names else chains)[node.output] = chain
        return found

    @cached_property
    def ends(self) -> Mapping[str, tuple[QuantNode, ...]]:
        """The first tensors of the file behind the hardware, and the operators from its output to each."""
        if self.lowered.epilogue is None:
            return {}
        return self.under_all_names(self.behind(self.lowered.output.onnx_tensor))

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The tensors that get other values before the nodes behind them are computed."""
        customs = {node.output for node in self.graph.nodes if isinstance(node, Custom)}
        return frozenset({*customs, *self.points, *self.ends})

    @cached_property
    def inner(self) -> frozenset[str]:
        """The tensors that one operator of the network was read across, though others read them too.

        `q + q` of a sign q of x is another sign of x: the file computes it from q, and the network from x.
        """
        reads: dict[str, set[str]] = {}
        for node in self.model.nodes:
            for name in node.inputs:
                reads.setdefault(name, set()).add(node.name)
        across = [(set(node.onnx_nodes), set(node.outputs)) for node in self.graph.nodes]
        return frozenset(
            name
            for name in self.points
            if any(
                self.writers.get(name) in names and names.intersection(reads.get(name, ()))
                for names, outputs in across
                if name not in outputs
            )
        )

    def reference(self) -> Reference:
        """The model in steps that end behind the tensors that are replaced."""
        return self.model.reference(self.replaced, {*self.points, self.model.source.output})


@dataclass(frozen=True, eq=False)
class Point:
    """A checkpoint, and the operators from the tensor that it stands for to that where it is compared."""

    checkpoint: Checkpoint
    chain: tuple[QuantNode, ...] = ()

    def real(self, integers: Array) -> Array:
        """What integers of the checkpoint mean where it is compared."""
        value = self.checkpoint.real(integers)
        for node in self.chain:
            value = node.apply(value)
        return value
