"""The scripts of a project's `synth/` in tclsh, against stubs of the vendors' commands that check them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import thresher
from tests.needs import require_tclsh
from tests.small_models import save_small_model

STUBS = Path(__file__).with_name("stubs")
FOLDING = {"mvu0": {"pe": 4, "simd": 5}, "mvu1": {"pe": 5, "simd": 3}}
BOARDS = {
    "PYNQ-Z1": "www.digilentinc.com:pynq-z1:part0:1.0",
    "PYNQ-Z2": "tul.com.tw:pynq-z2:part0:1.0",
    "Ultra96-V2": "avnet.com:ultra96v2:part0:1.2",
    "ZCU104": "xilinx.com:zcu104:part0:1.1",
    "KV260": "xilinx.com:kv260_som:part0:1.4",
}
TOOLS = {
    "vivado": "vivado",
    "vivado_ip": "vivado",
    "vivado_board": "vivado",
    "vitis_hls": "vitis_hls",
    "quartus": "quartus",
}


@dataclass(frozen=True)
class Run:
    """What a script did: its exit status, what it printed, the calls of the vendor's commands."""

    status: int
    error: str
    calls: list[str]

    def names(self) -> list[str]:
        return [call.split()[0] for call in self.calls]


@pytest.fixture(scope="module", autouse=True)
def tclsh() -> None:
    require_tclsh()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    model = save_small_model(folder / "small.onnx")
    thresher.build(model, folder / "project", folding=FOLDING, board="PYNQ-Z2")
    return folder / "project"


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy of the project that a test may change, where a blank is in the path."""
    return Path(shutil.copytree(built, tmp_path / "a project"))


def run(project: Path, script: str, **environment: str) -> Run:
    """Run a script of the project, from a folder that is not the project's."""
    calls = project.parent / "calls"
    calls.unlink(missing_ok=True)
    done = subprocess.run(
        ["tclsh", STUBS / "run.tcl", TOOLS[script], project / "synth" / f"{script}.tcl"],
        cwd=project.parent,
        env={
            "PATH": os.environ["PATH"],
            "PROJECT": str(project),
            "CALLS": str(calls),
            "BOARD_PARTS": " ".join(BOARDS.values()),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    text = calls.read_text(encoding="utf-8") if calls.exists() else ""
    return Run(done.returncode, done.stderr, text.splitlines())


def plain(project: Path) -> Path:
    """The project under a path that Vitis HLS takes."""
    return Path(project.rename(project.with_name("project")))


def test_vivado(project: Path) -> None:
    done = run(project, "vivado")
    assert (done.status, done.error) == (0, "")
    flow = [name for name in done.names() if name.endswith("_design")]
    assert flow == ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design"]
    left = {path.name for path in (project / "build" / "synth" / "vivado").iterdir()}
    assert left == {"utilization.txt", "hierarchy.txt", "timing.txt", "routed.dcp"}
    read = next(call for call in done.calls if call.startswith("read_verilog"))
    assert all(f"/rtl/{path.name}" in read for path in (project / "rtl").glob("*.sv"))


def test_timing_that_is_not_met_is_said(project: Path) -> None:
    done = run(project, "vivado", SLACK="-0.25")
    folder = project / "build" / "synth" / "vivado"
    assert done.status == 1
    assert done.error == (
        "synth: error: timing is not met: the worst setup slack at 100 MHz is -0.25 ns; see "
        f"{folder}/timing.txt; build for a slower clock, or for a faster part\n"
    )


def test_an_ip(project: Path) -> None:
    done = run(project, "vivado_ip")
    assert (done.status, done.error) == (0, "")
    associated = [call for call in done.calls if call.startswith("ipx::associate_bus_interfaces")]
    assert associated == [
        "ipx::associate_bus_interfaces -busif s_axis -clock ap_clk core",
        "ipx::associate_bus_interfaces -busif m_axis -clock ap_clk core",
        "ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n core",
    ]
    assert (project / "build" / "synth" / "vivado-ip" / "ip" / "component.xml").is_file()


@pytest.mark.parametrize("board", BOARDS)
def test_a_bitstream_for_each_zynq_board(board: str, tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    project = thresher.build(model, tmp_path / "project", folding=FOLDING, board=board).directory
    done = run(project, "vivado_board")
    assert (done.status, done.error) == (0, "")
    folder = project / "build" / "synth" / "vivado-board"
    assert (folder / "accelerator.bit").read_text() == "bits\n"
    assert (folder / "accelerator.hwh").read_text() == "hardware\n"
    assert f"set_property board_part {BOARDS[board]} project" in done.calls
    for name in ("validate_bd_design", "assign_bd_address", "make_wrapper", "launch_runs"):
        assert done.names().count(name) == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"BOARD_PARTS": "xilinx.com:zcu104:part0:1.1"},
            "Vivado has no board files 'tul.com.tw:pynq-z2:part0:*' for PYNQ-Z2; install them with Vivado's "
            "board store (Tools, Vivado Store, Boards)",
        ),
        (
            {"PROGRESS": "57%"},
            "the run ended as 'write_bitstream ERROR'; see the logs in {folder}/project/board.runs",
        ),
        (
            {"SLACK": "-1.5"},
            "timing is not met: the worst setup slack is -1.5 ns; see {folder}/timing.txt; "
            "no bitstream is given; build for a slower clock",
        ),
    ],
)
def test_no_bitstream(environment: dict[str, str], message: str, project: Path) -> None:
    folder = project / "build" / "synth" / "vivado-board"
    folder.mkdir(parents=True)
    (folder / "accelerator.bit").write_text("of an earlier run")
    done = run(project, "vivado_board", **environment)
    assert done.status == 1
    assert done.error == f"synth: error: {message.format(folder=folder)}\n"
    if "BOARD_PARTS" not in environment:
        assert not (folder / "accelerator.bit").exists()


def test_no_board(tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    project = thresher.build(model, tmp_path / "project", folding=FOLDING, board="Arty-A7-100T").directory
    done = run(project, "vivado_board")
    assert (done.status, done.calls) == (1, [])
    assert done.error == (
        "synth: error: the project is for no board with a processor system; build it with --board, "
        "for one of a Zynq\n"
    )


def test_vitis_hls(project: Path) -> None:
    project = plain(project)
    done = run(project, "vitis_hls")
    assert (done.status, done.error) == (0, "")
    flow = [name for name in done.names() if name.endswith("_design")]
    assert flow == ["csim_design", "csynth_design", "cosim_design", "export_design"]
    assert "set_top accelerator" in done.calls
    solution = project / "build" / "synth" / "vitis-hls" / "accelerator" / "solution"
    assert (solution / "impl" / "verilog" / "accelerator.v").is_file()


def test_layers_alone_in_vitis_hls(project: Path) -> None:
    project = plain(project)
    done = run(project, "vitis_hls", THRESHER_LAYERS="all")
    assert (done.status, done.error) == (0, "")
    tops = [call.split()[1] for call in done.calls if call.startswith("set_top")]
    assert tops == ["mvu0_top", "width_converter0_top", "mvu1_top"]
    assert [name for name in done.names() if name.endswith("_design")] == ["csynth_design"] * 3
    done = run(project, "vitis_hls", THRESHER_LAYERS="mvu1")
    assert [call for call in done.calls if call.startswith("set_top")] == ["set_top mvu1_top"]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"THRESHER_STEPS": "csim route"},
            "THRESHER_STEPS: there is no step 'route'; give some of csim csynth cosim export",
        ),
        (
            {"THRESHER_LAYERS": "mvu9"},
            "THRESHER_LAYERS: there is no layer 'mvu9'; give some of mvu0 width_converter0 mvu1, or all",
        ),
        ({"THRESHER_STEPS": "cosim"}, "Vitis HLS: cosim_design: nothing is synthesised"),
    ],
)
def test_what_vitis_hls_cannot_do(environment: dict[str, str], message: str, project: Path) -> None:
    done = run(plain(project), "vitis_hls", **environment)
    assert (done.status, done.error) == (1, f"synth: error: {message}\n")


def test_vitis_hls_takes_no_blank_in_a_path(project: Path) -> None:
    done = run(project, "vitis_hls")
    assert (done.status, done.calls) == (1, [])
    assert done.error == (
        "synth: error: Vitis HLS takes no path with blanks or other special characters, as "
        f"'{project}' has; move the project\n"
    )


def test_quartus(project: Path) -> None:
    done = run(project, "quartus")
    assert (done.status, done.error) == (0, "")
    assert "set_global_assignment -name FAMILY {Cyclone V}" in done.calls
    assert not [call for call in done.calls if "DEVICE" in call]
    done = run(project, "quartus", THRESHER_QUARTUS_PART="5CSEBA6U23I7")
    assert "set_global_assignment -name DEVICE 5CSEBA6U23I7" in done.calls


def test_quartus_fails(project: Path) -> None:
    done = run(project, "quartus", FAILS="1")
    folder = project / "build" / "synth" / "quartus"
    assert (done.status, done.error) == (
        1,
        f"synth: error: Quartus: fit failed; see the reports in '{folder}'\n",
    )


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        *((script, "rtl/mvu1.sv") for script in ("vivado", "vivado_ip", "vivado_board", "quartus")),
        ("vivado", "synth/clock.xdc"),
        ("vivado_board", "synth/batch_marker.sv"),
        ("quartus", "synth/clock.sdc"),
        ("vitis_hls", "hls/top.cpp"),
        ("vitis_hls", "hls/top_tb.cpp"),
        ("vitis_hls", "sim/vectors/m_axis.bin"),
        *((script, "synth/settings.tcl") for script in TOOLS),
    ],
)
def test_a_missing_file_is_said_at_once(script: str, missing: str, project: Path) -> None:
    project = plain(project)
    (project / missing).unlink()
    done = run(project, script)
    assert (done.status, done.error) == (
        1,
        f"synth: error: file '{project / missing}' is missing; build the project again\n",
    )
    assert not {"create_project", "project_new", "csynth_design"} & set(done.names())


@pytest.mark.parametrize("script", ["vivado", "vivado_ip", "vivado_board", "vitis_hls"])
def test_a_part_of_another_vendor(script: str, tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    project = thresher.build(model, tmp_path / "project", folding=FOLDING, board="ULX3S-85F").directory
    done = run(project, script)
    tool = "Vitis HLS" if script == "vitis_hls" else "Vivado"
    assert (done.status, done.calls) == (1, [])
    assert done.error == (
        f"synth: error: part 'LFE5U-85F-6BG381C' is not one that {tool} knows; build the project for an AMD "
        "part, with --part or --board\n"
    )


FAULTS = {
    "synth_design: there is no option -flatten": ("vivado", "-flatten_hierarchy", "-flatten"),
    "'placed' comes after 'placed', not after 'optimised'": ("vivado", "place_design\n", ""),
    "read_verilog: these files are SystemVerilog": ("vivado", "read_verilog -sv", "read_verilog"),
    "'/tmp/routed.dcp' is outside build/": (
        "vivado",
        "[file join $folder routed.dcp]\n",
        "/tmp/routed.dcp\n",
    ),
    "axi_dma/axi_resetn is not joined": ("vivado_board", "axi_dma/axi_resetn ", ""),
    "addresses are not assigned": ("vivado_board", "assign_bd_address\n", ""),
    "set_property: axis_data_fifo has no CONFIG.DEPTH": (
        "vivado_board",
        "CONFIG.FIFO_DEPTH",
        "CONFIG.DEPTH",
    ),
    "the widths at accelerator/s_axis differ": (
        "vivado_board",
        "M_TDATA_NUM_BYTES $input_beat_bytes",
        "M_TDATA_NUM_BYTES 8",
    ),
    "accelerator/ap_clk is not joined": ("vivado_board", "$top/ap_clk\n", "\n"),
    "there is no module 'accelerator_ip'": (
        "vivado_ip",
        "add_files -norecurse $sources",
        "add_files -norecurse [lrange $sources 0 end-1]",
    ),
    "open_solution: there is no option -flow": ("vitis_hls", "-reset -flow_target", "-reset -flow"),
    "csim_design: there is no test bench": ("vitis_hls", "add_files -tb", "add_files"),
    "set_instance_assignment: -to is missing": ("quartus", "VIRTUAL_PIN OFF -to ap_clk", "VIRTUAL_PIN OFF"),
}


@pytest.mark.parametrize("error", FAULTS)
def test_the_stubs_find_what_is_wrong(error: str, project: Path) -> None:
    script, old, new = FAULTS[error]
    project = plain(project)
    path = project / "synth" / f"{script}.tcl"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    done = run(project, script)
    assert done.status == 1
    assert error in done.error


def test_only_settings_differ_between_projects(project: Path, tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "other.onnx", seed=4)
    other = thresher.build(model, tmp_path / "other", clock_mhz=150, part="xc7a35tcpg236-1").directory
    names = sorted(path.name for path in (project / "synth").iterdir())
    assert names == sorted(path.name for path in (other / "synth").iterdir())
    differing = {
        name
        for name in names
        if (project / "synth" / name).read_bytes() != (other / "synth" / name).read_bytes()
    }
    scripts = {name for name in names if name.endswith(".tcl")} - {"settings.tcl"}
    assert len(scripts) == 6
    assert not differing & (scripts | {"batch_marker.sv"})
    settings = (other / "synth" / "settings.tcl").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"#.*|set \w+ \{[A-Za-z0-9_.:/?*+ -]*\}", line) for line in settings)
    assert "set period_ns {6.667}" in settings
