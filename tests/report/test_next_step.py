"""The line that says what the next step up in rate would cost."""

from __future__ import annotations

from thresher.report.tables import next_step_line


def test_what_more_and_what_less_a_faster_folding_takes() -> None:
    resources = {"lut": 1234, "ff": -20, "bram36": 0.5, "dsp": 0}
    step = {"cycles_per_frame": 7056, "resources": resources, "layers": ["mvu0", "swg1"]}

    assert next_step_line(step) == (
        "next step: 7,056 cycles per frame for +1,234 LUT, -20 FF, +0.5 BRAM36, +0 DSP, by other foldings of "
        "mvu0, swg1"
    )


def test_there_may_be_no_next_step() -> None:
    assert next_step_line(None) == "next step: none, nothing is faster"
