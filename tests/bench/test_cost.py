"""The cost model against the committed table of what Yosys makes of many units."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cost.__main__ import MOST_MEDIAN, MOST_PERCENTILE_90, errors_of
from bench.cost.configurations import configurations
from bench.cost.fitting import Errors, fit, parts_of
from bench.cost.synthesis import measure
from bench.cost.table import read_results
from bench.units import UNITS
from tests.kernels.cases import KERNELS
from tests.needs import require_yosys
from thresher.hlsc.schedule.memories import prefers_blocks as hlsc_prefers_blocks
from thresher.ir.kernel import RamStyle
from thresher.kernels import Folding, Kernel
from thresher.kernels.memories import prefers_blocks
from thresher.kernels.parts import costs, fit_error

RESULTS = read_results()
LEAST_HELD_OUT, LEAST_FITTED, LEAST_IN_BLOCKS = 40, 100, 8


def any_kernel() -> st.SearchStrategy[Kernel]:
    return st.sampled_from(list(KERNELS.values())).flatmap(lambda make: make())


def test_the_table_has_a_row_for_each_configuration() -> None:
    assert list(RESULTS) == configurations()


def test_no_unit_that_is_held_out_is_fitted_to() -> None:
    splits = Counter(unit.held_out for unit in RESULTS)

    assert splits[True] >= LEAST_HELD_OUT
    assert splits[False] >= LEAST_FITTED
    assert len({(unit.kernel, unit.text) for unit in RESULTS}) == len(RESULTS)
    assert {unit.kernel for unit in RESULTS if unit.held_out} == {unit.kernel for unit in RESULTS}


def test_estimates_of_units_that_were_not_fitted_to_are_close() -> None:
    errors = errors_of(RESULTS, held_out=True)

    assert errors.median <= MOST_MEDIAN
    assert errors.percentile_90 <= MOST_PERCENTILE_90


def test_reports_state_the_error_that_there_is() -> None:
    errors, stated = errors_of(RESULTS, held_out=True), fit_error()

    assert stated.units == errors.count
    assert stated.median == pytest.approx(errors.median, abs=6e-4)
    assert stated.percentile_90 == pytest.approx(errors.percentile_90, abs=6e-4)


def test_prices_are_those_that_the_table_gives() -> None:
    for kind, prices in fit(RESULTS).items():
        assert costs()[kind] == pytest.approx(prices, rel=0.01, abs=1e-3)


@settings(max_examples=300, deadline=None)
@given(any_kernel())
def test_every_part_of_any_kernel_has_a_price(kernel: Kernel) -> None:
    cost = kernel.resources()

    assert min(cost.lut, cost.ff, cost.dsp) >= 0


def test_blocks_of_memory_are_those_that_yosys_takes() -> None:
    """Of the longest tables of wide words Yosys takes fewer: 6 and 8 for 10, and 9 for 10."""
    pairs = [(parts_of(unit).bram18, measured.bram18) for unit, measured in RESULTS.items()]
    in_blocks = [pair for pair in pairs if any(pair)]

    assert len(in_blocks) >= LEAST_IN_BLOCKS
    assert all(estimate >= measured for estimate, measured in in_blocks)
    assert sum(estimate != measured for estimate, measured in in_blocks) <= len(in_blocks) / 4


def test_weights_are_in_blocks_where_they_ask_for_them() -> None:
    mvu = UNITS["mvu_pe32_simd32_block"]()

    blocks, tables = (mvu.fold(Folding(32, 32, style)) for style in (RamStyle.BLOCK, RamStyle.DISTRIBUTED))

    assert blocks.resources().bram36 == 16.0
    assert tables.resources().bram36 == 0.0
    # 64 words of 32 bits in each of 32 lanes: a look-up table a bit.
    assert tables.resources().lut - blocks.resources().lut == pytest.approx(
        1024 * costs()["lut"]["rom"], abs=1
    )


def test_kernels_know_the_rule_by_which_hlsc_takes_block_memory() -> None:
    sizes = [(width, depth) for width in range(1, 300, 3) for depth in (2, 64, 65, 300, 512, 513, 5000)]

    assert [prefers_blocks(*size) for size in sizes] == [hlsc_prefers_blocks(*size) for size in sizes]


def test_errors_are_relative_and_without_a_sign() -> None:
    assert Errors.of([90, 100, 130], [100, 100, 100]) == Errors(3, 0.1, 0.3, 0.3)
    with pytest.raises(ValueError, match="no units to compare"):
        Errors.of([], [])


def test_a_unit_that_is_synthesised_now_is_as_in_the_table(tmp_path: Path) -> None:
    require_yosys()
    small = next(unit for unit in RESULTS if unit.kernel == "argmax")

    assert dict(measure([small], tmp_path, jobs=1)) == {small: RESULTS[small]}
