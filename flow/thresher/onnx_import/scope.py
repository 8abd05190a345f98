"""What the importer knows of each tensor while it walks the graph."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from thresher.errors import RETRAIN, NodeError
from thresher.ir.custom import Operators
from thresher.ir.graph import Array
from thresher.ir.quant import Floats, Shape
from thresher.ir.quantisers import QuantisedConstant, Rounding
from thresher.onnx_import.source import Source, SourceNode
from thresher.onnx_import.steps import Step

# Kinds of numpy's types: objects, texts and complex numbers.
_NO_NUMBERS = "OSUc"


@dataclass(frozen=True)
class Padded:
    """A tensor that is `source` with constants around it, `before` and `after` it along each axis."""

    source: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float
    onnx_nodes: tuple[str, ...]


@dataclass(frozen=True)
class InputScale:
    """The node `name` multiplies the tensor `layer` by `scale`, an average of what `magnitude` gives."""

    name: str
    magnitude: str
    layer: str
    scale: str
    product: str


@dataclass
class Scope:
    """Tensors by name: constants, quantised constants, other names, and shapes with a batch of 1.

    A tensor with no shape comes from an operator that only the host runs. `operators` are those of
    custom domains that a kernel takes. `steps` are tensors that compare another with a constant,
    `binarised` those of them that are quantisers, `residues` are quantised tensors less what was
    quantised, by the names of both, `roundings` those that a rounding writes, and `ranges` the least and
    greatest value of those that have such limits. `computed` counts the elements of constants that were
    computed from those of the file. `dropped` are nodes that were left out as asked, such
    as those that multiply by XNOR-Net's K where this `drops_input_scale`; `input_scales` are those where
    it does not.
    """

    source: Source
    operators: Operators = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    quantised: dict[str, QuantisedConstant] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    padded: dict[str, Padded] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    binarised: set[str] = field(default_factory=set)
    residues: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roundings: dict[str, Rounding] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    drops_input_scale: bool = False
    computed: int = 0
    dropped: list[str] = field(default_factory=list)
    input_scales: list[InputScale] = field(default_factory=list)

    def resolve(self, tensor: str) -> str:
        """The tensor that `tensor` is another name of."""
        return self.aliases.get(tensor, tensor)

    def pass_through(self, tensor: str, output: str) -> None:
        """Note that a node writes what it reads: a constant, or the same tensor by another name."""
        if tensor in self.quantised:
            self.quantised[output] = self.quantised[tensor]
        elif tensor in self.constants:
            self.constants[output] = self.constants[tensor]
        else:
            self.aliases[output] = self.resolve(tensor)

    def range_of(self, tensor: str) -> tuple[float, float]:
        """The least and the greatest value that a tensor can have; infinite where nothing limits it."""
        return self.ranges.get(tensor, (-math.inf, math.inf))

    def is_constant(self, tensor: str) -> bool:
        """Whether the value is known, or the input is left out."""
        return not tensor or tensor in self.constants or tensor in self.quantised

    def value(self, tensor: str) -> Array | None:
        """The value of a constant; None where it is not one."""
        if tensor in self.quantised:
            return self.quantised[tensor].real
        return self.constants.get(tensor)

    def argument(self, node: SourceNode, index: int, what: str) -> Array:
        """A constant input of `node`.

        Raises:
            NodeError: The input is left out, or computed at run time.
        """
        value = self.optional(node, index)
        if value is None:
            reason = f"its {what} is not a constant"
            raise NodeError("import", node.name, reason, f"export the model with a constant {what}")
        return value

    def optional(self, node: SourceNode, index: int) -> Array | None:
        """A constant input of `node`, None where it is left out or not constant.

        Raises:
            NodeError: It holds no numbers.
        """
        value = self.value(node.inputs[index]) if index < len(node.inputs) else None
        if value is not None and value.dtype.kind in _NO_NUMBERS:
            held = "complex numbers" if value.dtype.kind == "c" else "texts"
            reason = f"its input '{node.inputs[index]}' holds {held}, where real numbers are needed"
            raise NodeError("import", node.name, reason, "export the model again")
        return value

    def scalar(self, node: SourceNode, index: int, what: str) -> float | None:
        """A constant input of one number, None where it is left out.

        Raises:
            NodeError: It is computed at run time, or holds none or several.
        """
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        value = self.argument(node, index, what)
        if value.size != 1:
            reason = f"its {what} has the shape {list(value.shape)}, where one number is needed"
            raise NodeError("import", node.name, reason, "export the model again")
        return float(value.reshape(()))

    def floats(self, node: SourceNode, index: int, what: str) -> Floats:
        """A constant float input of `node`; it must be finite.

        Raises:
            NodeError: It is not a constant, or holds NaN or infinity.
        """
        value = np.asarray(self.argument(node, index, what), np.float32)
        if not np.isfinite(value).all():
            reason = f"its {what} holds NaN or infinity"
            raise NodeError("import", node.name, reason, RETRAIN)
        return value

    def shape(self, node: SourceNode) -> Shape:
        """The shape of the first input that is not constant.

        Raises:
            KeyError: It has none.
        """
        return self.shapes[self.resolve(dynamic_inputs(self, node)[0])]


def dynamic_inputs(scope: Scope, node: SourceNode) -> tuple[str, ...]:
    """The inputs of `node` that are not constants, under their own names."""
    return tuple(scope.resolve(name) for name in node.inputs if not scope.is_constant(name))
