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
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from thresher.kernels.base import Kernel, Resources

COSTS = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Parts:
    """Amounts by name, of what takes look-up tables, registers and DSP slices; they add.

    `bram18` counts blocks of 18 kbit, which have no price.
    """

    lut: Mapping[str, float] = field(default_factory=dict)
    ff: Mapping[str, float] = field(default_factory=dict)
    dsp: Mapping[str, float] = field(default_factory=dict)
    bram18: int = 0

    @staticmethod
    def all(*parts: Parts) -> Parts:
        """What all of them are together."""
        return Parts(
            _sum([each.lut for each in parts]),
            _sum([each.ff for each in parts]),
            _sum([each.dsp for each in parts]),
            sum([each.bram18 for each in parts]),
        )

    def __add__(self, other: Parts) -> Parts:
        return Parts.all(self, other)

    def resources(self) -> Resources:
        """The estimate by the fitted prices; raises `KeyError` for a part that has none."""
        prices = costs()
        return Resources(
            lut=round(_priced(self.lut, prices["lut"])),
            ff=round(_priced(self.ff, prices["ff"])),
            bram36=self.bram18 / 2,
            dsp=round(_priced(self.dsp, prices["dsp"])),
        )


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


def _priced(amounts: Mapping[str, float], prices: Mapping[str, float]) -> float:
    # Searches price thousands of candidates, so this is a plain loop.
    total = 0.0
    for name, amount in amounts.items():
        total += amount * prices[name]
    return total
