"""What a unit is made of, as numbers, and what these cost: the estimate of its size.

A kernel counts its parts from its parameters: bits of adders, of comparators, of counters, of memories.
`costs.json` has its prices in look-up tables, registers and DSP slices, which `python -m bench.cost --fit`
finds by least squares from what Yosys makes of many units (7 series, pipelined for 200 MHz). A part of one
name is the same in all kernels. Blocks of memory are counted, by the rule of hlsc.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from thresher.ir.kernel import Kernel, Resources

COSTS = Path(__file__).with_name("costs.json")


_NONE: Mapping[str, float] = {}


class Parts(NamedTuple):
    """Amounts by name, of what takes look-up tables, registers and DSP slices.

    `bram18` counts blocks of 18 kbit, which have no price. Of several together only `inner` says what they
    are: searches price thousands of candidates, and need no sums of amounts for that.
    """

    lut: Mapping[str, float] = _NONE
    ff: Mapping[str, float] = _NONE
    dsp: Mapping[str, float] = _NONE
    bram18: int = 0
    inner: tuple[Parts, ...] = ()

    @staticmethod
    def all(*parts: Parts) -> Parts:
        """What all of them are together."""
        leaves: list[Parts] = []
        for part in parts:
            leaves += part.inner or (part,)
        return Parts(inner=tuple(leaves))

    def merged(self) -> Parts:
        """The same with nothing inside: each name once."""
        leaves = self._leaves
        return Parts(
            _sum(leaf.lut for leaf in leaves),
            _sum(leaf.ff for leaf in leaves),
            _sum(leaf.dsp for leaf in leaves),
            sum(leaf.bram18 for leaf in leaves),
        )

    def resources(self) -> Resources:
        """The estimate by the fitted prices; raises `KeyError` for a part that has none."""
        prices = costs()
        luts, ffs, slices = prices["lut"], prices["ff"], prices["dsp"]
        lut = ff = dsp = 0.0
        blocks = 0
        for leaf in self._leaves:
            blocks += leaf.bram18
            for name, amount in leaf.lut.items():
                lut += amount * luts[name]
            for name, amount in leaf.ff.items():
                ff += amount * ffs[name]
            for name, amount in leaf.dsp.items():
                dsp += amount * slices[name]
        return Resources(round(lut), round(ff), blocks / 2, round(dsp))

    @property
    def _leaves(self) -> tuple[Parts, ...]:
        return self.inner or (self,)


class Estimated(Kernel):
    """A kernel whose cost is the price of its parts."""

    @abstractmethod
    def parts(self) -> Parts:
        """What it is made of."""

    def resources(self) -> Resources:
        """The fitted estimate."""
        return self.parts().resources()


@dataclass(frozen=True)
class FitError:
    """How far estimated LUTs are from Yosys', in fractions, on `units` that were not used for the fit."""

    family: str
    clock_mhz: float
    units: int
    median: float
    percentile_90: float


@cache
def costs() -> Mapping[str, Mapping[str, float]]:
    """The fitted prices `lut`, `ff` and `dsp`, each by part."""
    loaded: dict[str, dict[str, float]] = _content()["prices"]
    return loaded


def fit_error() -> FitError:
    """What was found when the prices were fitted."""
    content = _content()
    return FitError(content["family"], content["clock_mhz"], **content["lut_error"])


def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(COSTS.read_text(encoding="utf-8"))
    return content


def _sum(amounts: Iterable[Mapping[str, float]]) -> Mapping[str, float]:
    total: dict[str, float] = {}
    for each in amounts:
        for name, amount in each.items():
            total[name] = total.get(name, 0) + amount
    return total
