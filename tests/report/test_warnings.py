"""What the report warns of: here, a part that is too small for the estimate."""

from __future__ import annotations

from typing import Any

import pytest

from thresher.report import content
from thresher.report.tables import find_warnings


def report(part: dict[str, int] | None) -> dict[str, Any]:
    return {
        "part": "xc7z010",
        "part_resources": part,
        "layers": [{"name": "mvu0", "cycles_per_frame": 10}],
        "estimate": {
            "cycles_per_frame": 10,
            "bottleneck": "mvu0",
            "resources": {"lut": 17_993, "ff": 50_000, "bram36": 37.5, "dsp": 0},
        },
        "simulation": {},
    }


def test_what_exceeds_the_part_is_named() -> None:
    assert find_warnings(report({"lut": 17_600, "bram36": 37, "dsp": 80})) == [
        "the estimate takes 17,993 LUT, and part 'xc7z010' has 17,600",
        "the estimate takes 37.5 BRAM36, and part 'xc7z010' has 37",
    ]


@pytest.mark.parametrize("part", [None, {"lut": 17_993, "bram36": 38, "dsp": 0}])
def test_what_fits_or_cannot_be_told_gives_no_warning(part: dict[str, int] | None) -> None:
    assert find_warnings(report(part)) == []


def test_scales_that_were_left_out_are_warned_of() -> None:
    dropped = {"model": {"dropped": ["Mul_3", "Mul_9"]}}

    assert find_warnings(report(None) | dropped) == [
        "2 scales that layers compute from their inputs were left out, as asked, so the outputs differ from "
        "the model's; measure the accuracy"
    ]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("warnings", "one", "'warnings' of the report is not a list"),
        ("warnings", [1], "entry 0 of 'warnings' of the report is 1"),
        ("host_layers", [{"sentence": "one"}], "entry 0 of 'host_layers' of the report lacks 'unintended'"),
    ],
)
def test_what_a_report_may_lack_is_checked_where_it_is_there(key: str, value: object, problem: str) -> None:
    shape = {key: content._SHAPE[key]}

    assert content._problem({}, shape, "the report") is None
    assert content._problem({key: value}, shape, "the report") == problem
