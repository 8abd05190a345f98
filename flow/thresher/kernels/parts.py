"""What a unit is made of, as numbers, and what these cost: the estimate of its size.

A kernel counts its parts from its parameters: bits of adders, of comparators, of counters, of memories.
`costs.json` has its prices in look-up tables, registers and DSP slices, which `python -m bench.cost --fit`
finds by least squares from what Yosys makes of many units (7 series, pipelined for 200 MHz). A part of one
name is the same in all kernels. Blocks of memory are counted, by the rule of hlsc.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

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

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            _sum(self.lut, other.lut),
            _sum(self.ff, other.ff),
            _sum(self.dsp, other.dsp),
            self.bram18 + other.bram18,
        )

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


@cache
def costs() -> Mapping[str, Mapping[str, float]]:
    """The fitted prices `lut`, `ff` and `dsp`, each by part."""
    loaded: dict[str, dict[str, float]] = json.loads(COSTS.read_text(encoding="utf-8"))["prices"]
    return loaded


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> Mapping[str, float]:
    if not one or not other:
        return one or other
    both = Counter(one)
    both.update(other)
    return both


def _priced(amounts: Mapping[str, float], prices: Mapping[str, float]) -> float:
    return sum(amount * prices[name] for name, amount in amounts.items())
