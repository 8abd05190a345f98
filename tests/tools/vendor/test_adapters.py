"""The adapters with programs on PATH that run the project's own scripts on stubs and leave sample reports."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import thresher
from tests.needs import require_tclsh
from tests.small_models import save_small_model
from thresher.cli import main
from thresher.errors import MissingToolError, ToolFailedError, UsageError
from thresher.tools.synthesis import Synthesis, SynthesisRequest, Usage
from thresher.tools.synthesisers import ADAPTERS
from thresher_sim.project import load_project

HERE = Path(__file__).parent
STUBS = HERE.parents[1] / "synth" / "stubs"
REPORTS = HERE / "reports"
FOLDING = {"mvu0": {"pe": 4, "simd": 5}, "mvu1": {"pe": 5, "simd": 3}}
REQUEST = SynthesisRequest("xc7z020clg400-1")

# The script is the last argument, whatever the program is; reports are those of the test's folder `reports`.
PROGRAM = """#!/bin/sh
for script; do :; done
export PROJECT="$PWD" CALLS=/dev/null
echo "Starting a task"
tclsh "$STUBS/run.tcl" {stub} "$script" || exit 1
{leave}
{end}
"""
LEAVE = {
    "vivado": 'cp "$REPORTS"/vivado/* build/synth/vivado/',
    "vitis_hls": 'for top in build/synth/vitis-hls/*/solution; do mkdir -p "$top/syn/report"; '
    'cp "$REPORTS/vitis_hls/csynth.xml" "$top/syn/report/"; done',
    "quartus": 'cp "$REPORTS"/quartus/* build/synth/quartus/',
}


@pytest.fixture(scope="module", autouse=True)
def tclsh() -> None:
    require_tclsh()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor")
    model = save_small_model(folder / "small.onnx")
    thresher.build(model, folder / "project", folding=FOLDING)
    return folder / "project"


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "project"))


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH, and reports that a test may change."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STUBS", str(STUBS))
    monkeypatch.setenv("REPORTS", str(shutil.copytree(REPORTS, tmp_path / "reports")))
    return folder


def install(folder: Path, stub: str, name: str | None = None, end: str = "exit 0") -> None:
    """Put a program on PATH."""
    path = folder / (name or {"quartus": "quartus_sh"}.get(stub, stub))
    path.write_text(PROGRAM.format(stub=stub, leave=LEAVE[stub], end=end))
    path.chmod(0o755)


def edit(report: str, old: str, new: str) -> None:
    """Change a report that the program will leave."""
    path = Path(os.environ["REPORTS"]) / report
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def synthesise(tool: str, root: Path, request: SynthesisRequest = REQUEST) -> tuple[Synthesis, list[str]]:
    told: list[str] = []
    return ADAPTERS[tool](load_project(root), request, told.append), told


def test_vivado(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vivado")
    result, told = synthesise("vivado", root)
    assert "Starting a task" in told
    assert (result.tool, result.tool_version, result.part) == ("vivado", "Vivado v.2023.2", "xc7z020clg400-1")
    assert result.total == Usage(lut=2871, ff=3012, bram36=2.5, dsp=4)
    assert result.layers == {
        "mvu0": Usage(lut=1500, ff=1600, bram36=2, dsp=4),
        "mvu1": Usage(lut=1200, ff=1300, bram36=0.5, dsp=0),
    }
    assert (result.target_mhz, result.fmax_mhz, result.missed) == (100, 125, None)
    assert result.critical_path == "u_mvu0/sum_q_reg[3]/C -> u_mvu0/level_q_reg[0]/D"
    assert all((root / file).is_file() for file in result.files)
    result.check_timing()


def test_vivado_misses_the_clock(
    root: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures are kept, and the exit code says that the clock is missed."""
    # The script ends with an error, after it has written its reports.
    install(bin_folder, "vivado")
    program = bin_folder / "vivado"
    program.write_text(
        program.read_text().replace("|| exit 1", "; status=$?").replace("exit 0", "exit $status")
    )
    monkeypatch.setenv("SLACK", "-2.5")
    edit("vivado/timing.txt", "  2.000  ", " -2.500  ")
    assert main(["synth", str(root), "--tool", "vivado"]) == 5
    captured = capsys.readouterr()
    assert (
        "synth: vivado: timing is not met: 80.0 MHz of 100, by 2.50 ns on the path u_mvu0/sum_q_reg[3]/C -> "
        "u_mvu0/level_q_reg[0]/D; build for a slower clock with --clock-mhz or for a faster part\n"
    ) in captured.err
    (entry,) = thresher.load(root).report()["synthesis"]
    assert (entry["fmax_mhz"], entry["lut"]) == (80, 2871)


def test_a_hold_violation_is_no_matter_of_the_clock(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vivado")
    edit("vivado/timing.txt", "  0.058  ", " -0.010  ")
    result, _ = synthesise("vivado", root)
    with pytest.raises(ToolFailedError) as raised:
        result.check_timing()
    assert str(raised.value) == (
        "synth: vivado: timing is not met: the worst hold slack is -0.01 ns; build for a slower clock with "
        "--clock-mhz or for a faster part"
    )


def test_vivado_fails(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vivado", end="echo 'ERROR: [Synth 8-439] module not found'; exit 1")
    with pytest.raises(ToolFailedError) as raised:
        synthesise("vivado", root)
    log = root / "build" / "synth" / "vivado" / "vivado.log"
    assert str(raised.value) == f"synth: vivado fails: ERROR: [Synth 8-439] module not found; see '{log}'"


def test_the_report_of_an_earlier_run_is_no_figure(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vivado")
    synthesise("vivado", root)
    program = bin_folder / "vivado"
    missing = root / "build" / "synth" / "vivado" / "hierarchy.txt"
    program.write_text(program.read_text().replace("exit 0", f"rm '{missing}'"))
    with pytest.raises(ToolFailedError) as raised:
        synthesise("vivado", root)
    assert str(raised.value) == f"synth: vivado: it left no report '{missing}'; see its log beside it"


@pytest.mark.parametrize("name", ["vitis_hls", "vitis-run"])
def test_vitis_hls(name: str, root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vitis_hls", name)
    result, told = synthesise("vitis-hls", root)
    assert told[:1] == ["C synthesis: accelerator"]
    assert "C synthesis: mvu0, width_converter0, mvu1" in told
    usage = Usage(lut=9876, ff=3456, bram36=2.5, dsp=4)
    assert (result.tool_version, result.total) == ("Vitis HLS 2023.2", usage)
    assert result.layers == dict.fromkeys(("mvu0", "width_converter0", "mvu1"), usage)
    assert result.fmax_mhz is None
    assert result.notes == ("sizes are the estimates of C synthesis; nothing was placed",)
    result.check_timing()
    verilog = root / "build" / "synth" / "vitis-hls" / "accelerator" / "solution" / "impl" / "verilog"
    assert (verilog / "accelerator.v").is_file()


def test_one_layer_in_vitis_hls(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vitis_hls")
    result, _ = synthesise("vitis-hls", root, replace(REQUEST, layers=("mvu1",), top=False))
    assert (result.total, list(result.layers), result.files) == (None, ["mvu1"], ())


def test_vitis_hls_estimates_a_slower_clock(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "vitis_hls")
    edit("vitis_hls/csynth.xml", "7.210", "11.3")
    result, _ = synthesise("vitis-hls", root)
    with pytest.raises(ToolFailedError) as raised:
        result.check_timing()
    assert str(raised.value) == (
        "synth: vitis-hls: timing is not met: C synthesis estimates a period of 11.3 ns, and 10 ns were "
        "asked for; build for a slower clock with --clock-mhz or for a faster part"
    )


def test_quartus(root: Path, bin_folder: Path) -> None:
    install(bin_folder, "quartus")
    result, _ = synthesise("quartus", root)
    assert (result.part, result.fmax_mhz, result.missed) == ("5CGXFC7C7F23C8", 122, None)
    assert result.tool_version == "Quartus Prime 21.1.1 Build 850 06/23/2022 SJ Lite Edition"
    assert (result.total, result.layers) == (Usage(lut=2019, ff=2567, bram36=2.5, dsp=2), {})


MISSING = {
    "vivado": "synth: vivado: no vivado on PATH; install AMD Vivado, and source its settings64.sh",
    "vitis-hls": "synth: vitis-hls: no vitis_hls or vitis-run on PATH; install AMD Vitis HLS, and source its "
    "settings64.sh",
    "quartus": "synth: quartus: no quartus_sh on PATH; install Intel Quartus Prime, and put its bin on PATH",
}


@pytest.mark.parametrize("tool", MISSING)
def test_a_tool_that_is_missing(
    tool: str, built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError) as raised:
        synthesise(tool, built)
    assert str(raised.value) == MISSING[tool]
    assert main(["synth", str(built), "--tool", tool]) == 4
    assert f"thresher: error: {MISSING[tool]}\n" in capsys.readouterr().err
    assert thresher.load(built).report()["synthesis"] == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (replace(REQUEST, family="xc7"), "synth: vivado takes no family; leave --family out"),
        (
            replace(REQUEST, part_given=True),
            "synth: vivado runs the project's own script, for the project's part; leave --part out, or build "
            "the project for that part",
        ),
        (replace(REQUEST, seed=7), "synth: vivado takes no seeds; leave --seed and --seeds out"),
        (replace(REQUEST, seeds=1), "synth: vivado takes no seeds; leave --seed and --seeds out"),
        (replace(REQUEST, top=False), "synth: vivado synthesises the whole only; leave --layers out"),
    ],
)
def test_what_a_script_cannot_do(request_: SynthesisRequest, message: str, built: Path) -> None:
    with pytest.raises(UsageError) as raised:
        synthesise("vivado", built, request_)
    assert str(raised.value) == message


def test_quartus_has_no_layers(built: Path) -> None:
    with pytest.raises(UsageError) as raised:
        synthesise("quartus", built, replace(REQUEST, layers=("mvu0",)))
    assert str(raised.value) == "synth: quartus gives no figures of layers; ask for the whole only"
