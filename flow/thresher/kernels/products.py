"""Products of weights and inputs, each pair of types on its cheapest arithmetic: `hls/thresher/products.hpp`.

Weights of -1, 0 and 1 keep an input, complement it or leave it out; where the inputs have one bit, that is
XNOR or AND, and a popcount. Inputs of one bit keep a wider weight or leave it out. All else is multiplied.
What a complement differs by from a negative, and what counting bits differs by from adding signs, is the
same for every vector: a number for each row, which accumulators start with or thresholds take.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thresher.ir.kernel import RamStyle, signed_bits
from thresher.kernels.arithmetic import counted, multiplier_parts, tree_bits
from thresher.kernels.memories import MERGED_WORDS
from thresher.kernels.parts import Parts
from thresher.kernels.tables import depth_class, table_parts
from thresher_sim.streams import BIPOLAR, IntType

Ints = npt.NDArray[np.int64]

_FREE_GATES = ("unit", "one", "of_4", "deep")

# Terms of up to so many bits cost less by a popcount for each bit than by a tree of adders: inputs that a
# weight of one bit keeps or not, and all else that no multiplier makes.
_COUNTED_BITS_OF_INPUTS, _COUNTED_BITS = 2, 4


class Products(Enum):
    """What a product is made of: the enumerators of `thresher::Products`."""

    INPUTS = "kInputs"
    WEIGHTS = "kWeights"
    MULTIPLIED = "kMultiplied"


@dataclass(frozen=True, eq=False)
class ProductSums:
    """Sums of each row of `weights[row, column]`, of type `declared`, times inputs of type `source`.

    A sum is `step` times what the unit adds up, plus the row's `left_out`.
    """

    weights: Ints
    declared: IntType
    source: IntType

    @cached_property
    def unit_weights(self) -> bool:
        """Whether every weight is one: they then need no memory and no multiplier."""
        return bool(np.all(self.weights == 1))

    @cached_property
    def weight_type(self) -> IntType:
        """The type of the weights that makes for the cheapest arithmetic."""
        if self.unit_weights:
            return BIPOLAR if self.source.bipolar else IntType(1, 1)
        return self.declared

    @cached_property
    def kind(self) -> Products:
        """What a product is made of."""
        if self.weight_type.lo >= -1 and self.weight_type.hi <= 1:
            return Products.INPUTS
        if self.source.bits == 1 and not self.source.signed:
            return Products.WEIGHTS
        return Products.MULTIPLIED

    @property
    def step(self) -> int:
        """What one more is worth in a sum: inputs of two signs are 2 * bit - 1, and bits are added up."""
        return 2 if self.source.bipolar else 1

    @cached_property
    def left_out(self) -> Ints:
        """What is left out of the sum of each row.

        That is -1 for each sign of 2 * bit - 1. And -x is ~x + 1 in two's complement, and
        ~x - (2**bits - 1) for an unsigned x of `bits` bits.
        """
        weights, source = self.weights, self.source
        result: Ints = np.zeros(len(weights), np.int64)
        if source.bipolar:
            result = -(np.abs(weights) if self.kind is Products.INPUTS else weights).sum(axis=1)
        elif self.kind is Products.INPUTS:
            result = (weights < 0).sum(axis=1) * (1 if source.signed else 1 - (1 << source.bits))
        return result

    @cached_property
    def term_bits(self) -> int:
        """Bits of one product, before what is left out: of an input, of a weight, or of their product."""
        weight, source = self.weight_type, self.source
        if self.kind is not Products.MULTIPLIED:
            return source.bits if self.kind is Products.INPUTS else weight.bits
        products = [w * x for w in (weight.lo, weight.hi) for x in (source.lo, source.hi)]
        return signed_bits(min(products), max(products))

    @property
    def _term_signed(self) -> bool:
        signed = {Products.INPUTS: self.source.signed, Products.WEIGHTS: self.weight_type.signed}
        return signed.get(self.kind, True)

    @property
    def _counted(self) -> bool:
        """Whether bits of equal weight are counted, and no words added."""
        inputs = self.kind is Products.INPUTS and self.weight_type.bits == 1
        most = _COUNTED_BITS_OF_INPUTS if inputs else _COUNTED_BITS
        return self.kind is not Products.MULTIPLIED and self.term_bits <= most

    def parts(self, rows: int, columns: int, words: int, style: RamStyle = RamStyle.AUTO) -> Parts:
        """What sums `rows` x `columns` products a cycle, of weights in tables of so many words.

        The sum is one of two numbers that are added behind it.
        """
        weight_bits = 0 if self.unit_weights else self.weight_type.bits
        table = table_parts(rows, columns * weight_bits, words, style)
        lanes = rows * columns
        if self.kind is Products.MULTIPLIED:
            adders = rows * tree_bits(self.term_bits, columns, signed=True)
            tree = Parts({"adders": adders}, {"tree": adders})
            products = multiplier_parts(lanes, self.weight_type.bits, self.source.bits, self.term_bits)
            return Parts.all(table, tree, products)
        if words <= MERGED_WORDS and style is not RamStyle.BLOCK:
            # Weights are in the look-up tables that they meet.
            table = Parts({}, table.ff)
        if self._counted and (self.term_bits == 1 or columns >= 4):
            return Parts.all(table, self._counting_parts(rows, columns, words))
        adders, bits = rows * tree_bits(self.term_bits, columns, self._term_signed), lanes * self.term_bits
        own = {"adders": adders, "terms": bits, "ternary": bits if self._ternary else 0}
        return Parts.all(table, Parts(own, {"tree": adders, "terms": bits}))

    def _counting_parts(self, rows: int, columns: int, words: int) -> Parts:
        """Gates and counts of each bit of the terms, and the sum of these counts."""
        planes, lanes = self.term_bits, rows * columns
        where = "unit" if self.unit_weights else depth_class(words)
        gated = where != "unit"
        first = counted(columns, planes, gated)
        groups, adders = first.groups, first.adders
        if planes > 1:
            others = counted(columns, 0, gated)
            groups += (planes - 1) * others.groups
            adders += (planes - 1) * (others.adders + others.width + 1)
        own: dict[str, float] = {"groups": rows * groups, "adders": rows * adders}
        if where == "one":
            # Rows count the same bits together, of which there are four counts but for inversions.
            own = {"groups_of_one": groups * 4 * (1 - 0.75**rows), "adders_of_one": rows * adders}
        if self._ternary or where not in _FREE_GATES:
            own["ternary" if self._ternary else f"gates_{where}"] = lanes * planes
        return Parts(own, {"counted_lanes": lanes * planes, "counts": rows * (groups + adders)})

    @property
    def _ternary(self) -> bool:
        return self.kind is Products.INPUTS and self.weight_type.signed

    def constants(self) -> dict[str, int | bool | str]:
        """What `thresher::DotProduct` needs of a `Layer`, but `kTwice`."""
        weight, source = self.weight_type, self.source
        return {
            "kUnitWeights": self.unit_weights,
            "kWeightBits": weight.bits,
            "kWeightSigned": weight.signed,
            "kWeightBipolar": weight.bipolar,
            "kInputBits": source.bits,
            "kInputSigned": source.signed,
            "kProducts": f"Products::{self.kind.value}",
            "kTermBits": self.term_bits,
            "kTermSigned": self._term_signed,
            "kCounted": self._counted,
        }
