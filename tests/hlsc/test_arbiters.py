"""Units that decide by `empty()` what they write, against models in Python of the recorded steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from thresher.unit import UnitRequest, write_unit_project
from thresher_sim.errors import SimulationMismatchError, ThresherError, ToolFailedError
from thresher_sim.scoreboard import UnitOptions, UnitResult, simulate_unit
from thresher_sim.stimulus import stimulus
from thresher_sim.unit import UnitProject, load_unit

UNITS = Path(__file__).with_name("arbiter_units.hpp")
BEATS = 120
STEPS = 3000
CLOCK_MHZ = 300.0

Beats = Sequence[int]
There = Sequence[Sequence[int]]


def round_robin(inputs: Sequence[Beats], there: There) -> list[int]:
    queues, last, written = [list(beats) for beats in inputs], 1, []
    for found in there:
        chosen = next((index for index in (1 - last, last) if found[index]), None)
        if chosen is not None:
            written.append(256 * chosen + queues[chosen].pop(0))
            last = chosen
    return written


def time_out(inputs: Sequence[Beats], there: There) -> list[int]:
    written = []
    quiet, beats = 0, iter(inputs[0])
    for (found,) in there:
        quiet = 0 if found else quiet + 1
        if found:
            written.append(next(beats))
        elif quiet % 5 == 0:
            written.append(256)
    return written


def priority(inputs: Sequence[Beats], there: There) -> list[int]:
    bulk, urgent = map(iter, inputs)
    written, waits = [], False
    for _, found in there:
        if found:
            written.append(2**24 + next(urgent) ** 2)
        elif not waits:
            written.append(next(bulk) ** 2)
        waits = not found and not waits
    return written


MODELS: dict[str, Callable[[Sequence[Beats], There], list[int]]] = {
    "RoundRobin": round_robin,
    "TimeOut": time_out,
    "Priority": priority,
}

FAULTS = {
    "a wrong bit": (101, r"(?<=m_axis_tdata <= )(.*);", r"(\1) ^ 9'(fault == 101);"),
    "the last beat lost": (
        102,
        r"(?<=m_axis_tvalid <= )(stage0_go.*);",
        rf"\1 && !(fault == 102 && writes == {2 * BEATS - 1});",
    ),
    "a beat taken in no step": (103, r"(?<=assign left_tready = )(.*);", r"\1 || fault == 103;"),
    "a beat that is not seen": (
        104,
        r"(?<== )!left_tvalid;",
        "!(left_tvalid && !(fault == 104 && writes == 20));",
    ),
    "no more steps": (105, r"(?<=assign advance = )(.*);", r"(\1) && !(fault == 105 && writes > 50);"),
}
"""What is wrong in `RoundRobin` with a seed: the seed, what is changed in its SystemVerilog, and to what."""

FORGOTTEN = 106, r"^( +)(left_was_last_q <= 1'b0;)", r"\1if (!ran || fault != 106) \2"
"""The register that no reset but the first reaches with this seed."""

BY_SEED = """
  int unsigned fault;
  int unsigned writes;
  logic slept, ran;
  initial {slept, ran} = 2'b0;
  initial if ($value$plusargs("seed=%d", fault) == 0) fault = 0;
  always @(posedge ap_clk) {slept, ran} <= {slept || !ap_rst_n, ran || (slept && ap_rst_n)};
  always @(posedge ap_clk) writes <= !ap_rst_n ? 0 : writes + 32'(stage0_go && m_axis_written && advance);
"""


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, UnitProject]:
    """A project of each unit, whose runs share a model; in that of `RoundRobin` faults wait for seeds."""
    folder = tmp_path_factory.mktemp("arbiters")
    for name in MODELS:
        write_unit_project(UnitRequest(UNITS, f"arbiters::{name}", CLOCK_MHZ), folder / name)
    plant(folder / "RoundRobin" / "rtl" / "RoundRobin.sv")
    return {name: load_unit(folder / name) for name in MODELS}


def plant(rtl: Path) -> None:
    text = rtl.read_text()
    for _, pattern, wrong in (*FAULTS.values(), FORGOTTEN):
        text, count = re.subn(pattern, wrong, text, flags=re.MULTILINE)
        assert count == 1, pattern
    text = text.replace("  logic stage0_valid;", BY_SEED + "  logic stage0_valid;")
    rtl.write_text(text)


def test_a_unit_of_several_stages_is_among_them(projects: dict[str, UnitProject]) -> None:
    assert {name: project.stages > 1 for name, project in projects.items()} == {
        "RoundRobin": False,
        "TimeOut": False,
        "Priority": True,
    }


def run(project: UnitProject, stall: int, seed: int, resets: int = 0) -> UnitResult:
    both_types = project.module == "Priority"  # g++ takes some seconds for each unit
    return simulate_unit(
        project, UnitOptions(BEATS, seed, stall, STEPS, both_types=both_types, resets=resets)
    )


def expected(project: UnitProject, result: UnitResult, seed: int) -> list[int]:
    assert result.replayed is not None
    beats = list(stimulus(project, BEATS, seed, {}).values())
    return MODELS[project.module](beats, result.replayed.there.tolist())


def written(result: UnitResult) -> list[int]:
    rows = result.reference.beats["m_axis"]
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


@pytest.mark.parametrize("name", ["RoundRobin", "Priority"])
def test_every_beat_is_compared_after_resets(name: str, projects: dict[str, UnitProject]) -> None:
    result = run(projects[name], 35, 5, resets=12)
    result.check()
    assert (result.resets, result.mismatches) == (12, 0)
    assert sum(score.cut.beats for score in result.scores) > BEATS


def test_a_register_that_a_reset_forgets_is_found(projects: dict[str, UnitProject]) -> None:
    with pytest.raises(SimulationMismatchError) as caught:
        run(projects["RoundRobin"], 35, FORGOTTEN[0], resets=12).check()
    assert re.match(r"sim: unit 'RoundRobin': stream '\w+': after reset \d+, ", str(caught.value))


@pytest.mark.parametrize("stall", [0, 35, 60])
@pytest.mark.parametrize("name", MODELS)
def test_every_beat_is_compared_whenever_beats_come(
    name: str, stall: int, projects: dict[str, UnitProject]
) -> None:
    orders = []
    for seed in (1, 2):
        result = run(projects[name], stall, seed)
        result.check()
        assert written(result) == expected(projects[name], result, seed)
        assert result.reference.taken == {stream.name: BEATS for stream in projects[name].inputs}
        assert sum(score.expected for score in result.scores) >= sum(result.reference.taken.values())
        assert result.other_types.summary == (
            "AMD's types: the C++ gives the same with them" if name == "Priority" else "AMD's types: not run"
        )
        assert result.replayed is not None
        orders.append(result.replayed.there[: 2 * BEATS])
    # The beats come otherwise in each run, so this is what a comparison with one order cannot do.
    assert stall == 0 or not np.array_equal(orders[0], orders[1])


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        (
            "a wrong bit",
            SimulationMismatchError,
            r"stream 'm_axis': beat 0: expected 0x\w+, got 0x\w+ \(240 of 240 beats differ\)",
        ),
        (
            "the last beat lost",
            SimulationMismatchError,
            r"stream 'm_axis': too few beats: 1 of 240 are missing",
        ),
        (
            "a beat taken in no step",
            SimulationMismatchError,
            r"stream 'left': the RTL takes 120 beats, of which \d+ in a step; look at it with --waves",
        ),
        (
            "a beat that is not seen",
            SimulationMismatchError,
            r"stream '\w+': in step \d+ the RTL takes (a beat, where the C\+\+ takes none|no beat, where the "
            r"C\+\+ takes one); look at it with --waves",
        ),
        (
            "no more steps",
            ToolFailedError,
            r"hangs: no step began for \d+ cycles, up to cycle \d+, though all that step \d+ reads is there; "
            r"look at it with --waves",
        ),
    ],
)
def test_what_is_wrong_in_the_systemverilog_is_found(
    what: str, kind: type[ThresherError], message: str, projects: dict[str, UnitProject]
) -> None:
    with pytest.raises(kind) as caught:
        run(projects["RoundRobin"], 35, FAULTS[what][0]).check()
    assert re.fullmatch("sim: unit 'RoundRobin': " + message, str(caught.value)), caught.value
