"""What is read from logs that Yosys and nextpnr wrote, shortened."""

from __future__ import annotations

import json
from pathlib import Path

from thresher.tools.nextpnr_report import SET_UP, find_overuse, read_report
from thresher.tools.synthesis import Usage
from thresher.tools.yosys_log import read_cells, read_usage

LOGS = Path(__file__).with_name("logs")


def test_look_up_tables_of_the_7_series_hold_logic_and_words() -> None:
    usage = read_usage((LOGS / "yosys_xc7.txt").read_text())

    # A RAM32M is four look-up tables; inverters and shift registers are one each.
    assert usage == Usage(
        lut=630 + 385 + 225 + 456 + 673 + 3 + 7 + 4 * 11, ff=1082, bram36=0, dsp=0, logic_cells=1749
    )


def test_carries_and_memories_of_ecp5_are_look_up_tables() -> None:
    log = (LOGS / "yosys_ecp5.txt").read_text()

    # The last statistics count; a carry cell is two look-up tables, a 16 x 4 memory six with its write port.
    assert read_cells(log)["LUT4"] == 3521
    assert read_usage(log) == Usage(lut=3521 + 2 * 538 + 6 * 36, ff=2189, bram36=4, dsp=0)


def test_what_a_part_has_too_little_of_is_found() -> None:
    assert find_overuse((LOGS / "nextpnr_too_small.txt").read_text()) == {"MULT18X18D": (29, 28)}
    assert find_overuse("Info: Packing IOs..\n") == {}


def test_a_report_of_nextpnr_gives_use_speed_and_the_slowest_path(tmp_path: Path) -> None:
    def hop(kind: str, delay: float, net: str = "", sources: tuple[str, ...] = ()) -> dict[str, object]:
        return {"type": kind, "delay": delay, "net": net, "sources": list(sources)}

    path = [
        hop("clk-to-q", 0.5),
        hop("routing", 1.5, "u_a.count_q_TRELLIS_FF_Q_3", ("rtl/a.sv:7.3",)),
        hop("logic", 0.25),
        hop("routing", 1.0, "u_b.sum_q$12", ("/share/cells.v:1.1",)),
        hop("setup", 0.25),
    ]
    used = {"TRELLIS_COMB": 5435, "TRELLIS_FF": 2189, "DP16KD": 8, "MULT18X18D": 1, "TRELLIS_RAMW": 36}
    report = {
        "fmax": {"clk": {"achieved": 107.03199, "constraint": 150}},
        "utilization": {kind: {"available": 10**6, "used": count} for kind, count in used.items()},
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": [hop("routing", 9.0, "other")]},
            {"from": "posedge clk", "to": "posedge clk", "path": path},
        ],
    }
    (tmp_path / "report.json").write_text(json.dumps(report))

    design = read_report(tmp_path / "report.json")

    assert design.usage == Usage(lut=5435 + 2 * 36, ff=2189, bram36=4, dsp=1)
    assert design.fmax_mhz == 107.0
    assert design.ends == "u_a.count_q to u_b.sum_q (3.50 ns)"
    assert [(each.wire, each.line) for each in design.critical_path] == [
        ("u_a.count_q", "rtl/a.sv:7.3"),
        ("u_b.sum_q", ""),
        (SET_UP, ""),
    ]
