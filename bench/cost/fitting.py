"""Prices of parts, fitted to the table, and how far estimates by them are from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from bench.cost.configurations import Configuration
from bench.cost.makers import Fifo, make
from bench.cost.synthesis import CLOCK_MHZ, FAMILY, Measured
from thresher.hardware.fifos import fifo_parts
from thresher.kernels.parts import COSTS, Estimated, Parts

Floats = npt.NDArray[np.float64]
Results = Mapping[Configuration, Measured]

# Squares of relative errors beyond this count no more than the errors themselves, so that a unit that is
# unlike all others does not decide prices.
_LARGE = 0.05
_ROUNDS = 30
# Amounts are counts of look-up tables, registers and slices, as far as kernels know them. So prices are drawn
# to one, which decides where units say little, such as of parts that always come together.
_PULL = 0.15
# Units of a few look-up tables would weigh most of all.
_LEAST = 20


@dataclass(frozen=True)
class Errors:
    """Relative errors of some estimates, without their signs: the median and the 90th percentile."""

    count: int
    median: float
    percentile_90: float
    largest: float

    @staticmethod
    def of(estimates: Sequence[float], measured: Sequence[float]) -> Errors:
        """Raises `ValueError` where there are none."""
        if not estimates:
            raise ValueError("cost: no units to compare")
        errors = np.abs(np.array(estimates) - measured) / np.maximum(measured, 1)
        return Errors(
            len(errors),
            float(np.median(errors)),
            float(np.percentile(errors, 90, method="higher")),
            float(errors.max()),
        )


def parts_of(unit: Configuration) -> Parts:
    """The parts of a configuration."""
    kernel = make(unit.kernel, unit.values)
    if isinstance(kernel, Fifo):
        return fifo_parts(kernel.width, kernel.depth).merged()
    assert isinstance(kernel, Estimated)
    return kernel.parts().merged()


def fit(results: Results) -> dict[str, dict[str, float]]:
    """Prices `lut`, `ff` and `dsp` by part, of the rows that are not held out; none is negative."""
    rows = [(parts_of(unit), measured) for unit, measured in results.items() if not unit.held_out]
    lut = _prices([parts.lut for parts, _ in rows], [float(measured.lut) for _, measured in rows])
    ff = _prices([parts.ff for parts, _ in rows], [float(measured.ff) for _, measured in rows])
    dsp = _prices([parts.dsp for parts, _ in rows], [float(measured.dsp) for _, measured in rows])
    return {"lut": lut, "ff": ff, "dsp": dsp}


def _prices(amounts: Sequence[Mapping[str, float]], measured: Sequence[float]) -> dict[str, float]:
    """Least squares of relative errors, by weights that are found anew from the errors so far."""
    names = sorted({name for row in amounts for name in row})
    if not names:
        return {}
    matrix: Floats = np.array([[row.get(name, 0.0) for name in names] for row in amounts])
    target: Floats = np.array(measured)
    weights: Floats = 1.0 / np.maximum(target, _LEAST)
    prices: Floats = np.zeros(len(names))
    factors = weights
    for _ in range(_ROUNDS):
        pulls = np.diag(_PULL * np.linalg.norm(matrix * factors[:, None], axis=0))
        rows = np.vstack([matrix * factors[:, None], pulls])
        prices, _ = nnls(rows, np.concatenate([target * factors, pulls.sum(axis=1)]))
        errors = np.abs(matrix @ prices - target) * weights
        factors = weights / np.sqrt(np.maximum(errors, _LARGE) / _LARGE)
    return {name: float(f"{price:.4g}") for name, price in zip(names, prices, strict=True)}


def write_costs(prices: Mapping[str, Mapping[str, float]], errors: Errors, path: Path = COSTS) -> None:
    """Write the prices, what they hold for and how far they are off."""
    content: dict[str, Any] = {
        "family": FAMILY,
        "clock_mhz": CLOCK_MHZ,
        "lut_error": {
            "units": errors.count,
            "median": round(errors.median, 3),
            "percentile_90": round(errors.percentile_90, 3),
        },
        "prices": prices,
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
