"""The vendors' reports, read: excerpts after what their documents, and reports in public, look like.

Vivado: AMD UG906, Report Utilization and Report Timing Summary. Vitis HLS: AMD UG1399, csynth.xml. Quartus:
Intel Quartus Prime Standard Edition User Guide, the fitter's and the timing analyser's summaries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from thresher.errors import ToolFailedError
from thresher.tools.synthesis import Usage
from thresher.tools.vendor import quartus, vitis_hls, vivado

REPORTS = Path(__file__).with_name("reports")
VIVADO, VITIS, QUARTUS = (REPORTS / name for name in ("vivado", "vitis_hls", "quartus"))


@pytest.mark.parametrize("name", ["utilization.txt", "utilization_ultrascale.txt"])
def test_utilization_of_vivado(name: str) -> None:
    text = (VIVADO / name).read_text()
    assert vivado.read_utilization(text) == Usage(lut=2871, ff=3012, bram36=2.5, dsp=4)
    assert vivado.read_version(text) == "Vivado v.2023.2"


@pytest.mark.parametrize("blocks", ["DSP Blocks", "DSP48 Blocks"])
def test_hierarchy_of_vivado(blocks: str) -> None:
    units = vivado.read_hierarchy((VIVADO / "hierarchy.txt").read_text().replace("DSP Blocks", blocks))
    assert units["u_mvu0"] == Usage(lut=1500, ff=1600, bram36=2, dsp=4)
    assert units["u_mvu1"] == Usage(lut=1200, ff=1300, bram36=0.5, dsp=0)
    assert units["accelerator"] == Usage(lut=2871, ff=3012, bram36=2.5, dsp=4)


def test_timing_of_vivado() -> None:
    text = (VIVADO / "timing.txt").read_text()
    assert vivado.read_slacks(text) == vivado.Slacks(2.0, 0.058, 4.02)
    assert vivado.read_slacks(text.replace("  2.000  ", " -0.250  ")).setup == -0.25
    assert vivado.read_slacks(text.replace("0.058", "   NA")).hold is None
    assert vivado.read_critical_path(text) == "u_mvu0/sum_q_reg[3]/C -> u_mvu0/level_q_reg[0]/D"
    assert vivado.read_critical_path("") is None


def test_c_synthesis_of_vitis_hls() -> None:
    assert vitis_hls.read_csynth((VITIS / "csynth.xml").read_text()) == vitis_hls.CSynthesis(
        "2023.2", Usage(lut=9876, ff=3456, bram36=2.5, dsp=4), 7.21
    )


def test_fit_of_quartus() -> None:
    summary = quartus.read_summary((QUARTUS / "accelerator.fit.summary").read_text())
    usage = quartus.read_usage(summary, (QUARTUS / "accelerator.fit.rpt").read_text())
    assert usage == Usage(lut=2019, ff=2567, bram36=2.5, dsp=2)
    assert summary["Device"] == "5CGXFC7C7F23C8"


def test_a_fit_of_a_family_with_look_up_tables_of_four_inputs() -> None:
    text = (
        "Family : Cyclone IV E\nTotal logic elements : 3,000 / 22,320 ( 13 % )\n"
        "    Total combinational functions : 2,800 / 22,320 ( 13 % )\nTotal registers : 1500\n"
        "Total memory bits : 36,864 / 608,256 ( 6 % )\nEmbedded Multiplier 9-bit elements : 4 / 132 ( 3 % )\n"
    )
    assert quartus.read_usage(quartus.read_summary(text), "") == Usage(lut=2800, ff=1500, bram36=1, dsp=4)


def test_timing_of_quartus_is_the_worst_of_all_models() -> None:
    slacks = quartus.read_slacks((QUARTUS / "accelerator.sta.summary").read_text())
    assert slacks == {"Setup": 1.8, "Hold": 0.158, "Minimum Pulse Width": 3.95}


UNKNOWN: dict[str, Callable[[], object]] = {
    "synth: vivado: its report has no line 'CLB LUTs'; this version of the tool is not known": (
        lambda: vivado.read_utilization("| Slice Registers | 3 |\n")
    ),
    "synth: vivado: 'Slice LUTs' is 'many' in its report, which is no number": (
        lambda: vivado.read_utilization("| Slice LUTs | many |\n")
    ),
    "synth: vivado: its report does not say of which version it is": lambda: vivado.read_version(""),
    "synth: vivado: its timing report has no summary; this version is not known": (
        lambda: vivado.read_slacks("")
    ),
    "synth: vivado: its report of the hierarchy has no table": lambda: vivado.read_hierarchy(""),
    "synth: vivado: its report of the hierarchy has no column 'Total LUTs'; this version is not known": (
        lambda: vivado.read_hierarchy("| Instance | FFs |\n| top | 3 |\n")
    ),
    "synth: vitis-hls: its report csynth.xml has no ReportVersion/Version; this version of the tool is not "
    "known": lambda: vitis_hls.read_csynth("<profile/>"),
    "synth: vitis-hls: its report csynth.xml is damaged (no element found: line 1, column 9)": (
        lambda: vitis_hls.read_csynth("<profile>")
    ),
    "synth: quartus: its timing summary has no slack; this version is not known": (
        lambda: quartus.read_slacks("")
    ),
}


@pytest.mark.parametrize("message", UNKNOWN)
def test_what_is_not_in_a_report_is_no_figure(message: str) -> None:
    with pytest.raises(ToolFailedError) as raised:
        UNKNOWN[message]()
    assert str(raised.value) == message
