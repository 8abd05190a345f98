"""Projects as a whole: what is simulated is what was written, and nothing of Thresher is needed for it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.small_models import save_small_model, small_model
from thresher.emit.replacing import replacing
from thresher.emit.target import check_target
from thresher.errors import UsageError
from thresher_sim.sources import is_fresh

SITE = str(Path(np.__file__).parents[1])
FOLDING = {"mvu0": {"pe": 4, "simd": 5}, "mvu1": {"pe": 5, "simd": 3}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> thresher.Accelerator:
    folder = tmp_path_factory.mktemp("project")
    model = save_small_model(folder / "small.onnx")
    return thresher.build(model, folder / "project", folding=FOLDING)


@pytest.fixture
def project(built: thresher.Accelerator, tmp_path: Path) -> Path:
    """A copy of the project that a test may change."""
    return Path(shutil.copytree(built.directory, tmp_path / "project"))


def test_the_same_model_gives_the_same_bytes(built: thresher.Accelerator, tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    again = thresher.build(model, tmp_path / "again", folding=FOLDING)
    assert _digests(built.directory) == _digests(again.directory)


def test_weights_are_in_the_memory_that_the_folding_file_asks_for(tmp_path: Path) -> None:
    """And no other table is; few as they are, nothing else would make them block memory."""
    model, folding = save_small_model(tmp_path / "small.onnx"), tmp_path / "folding.json"
    asked = FOLDING["mvu1"] | {"ram_style": "block"}
    folding.write_text(json.dumps(FOLDING | {"mvu1": asked}))
    built = thresher.build(model, tmp_path / "project", folding=folding)

    found = {
        path.name: path.read_text().count('(* rom_style = "block" *)')
        for path in built.directory.glob("rtl/*mvu*.sv")
    }
    assert found == {"mvu0.sv": 0, "mvu1.sv": FOLDING["mvu1"]["pe"]}


def test_a_project_is_replaced_around_the_user_s_own_files(project: Path, tmp_path: Path) -> None:
    """Those among the C++ do not make the SystemVerilog look out of date."""
    model = save_small_model(tmp_path / "small.onnx")
    (project / "hls" / "thresher" / "mine.hpp").touch()
    (project / "rtl" / "mvu1_pool.sv").touch()
    (project / "rtl" / "mvu1.sv").write_text("edited")
    with pytest.raises(UsageError, match=r"edited since Thresher wrote them: 'rtl/mvu1\.sv'; copy"):
        thresher.build(model, project, verify=False)

    again = thresher.build(model, project, verify=False, force=True)

    assert (project / "hls" / "thresher" / "mine.hpp").exists()
    assert (project / "rtl" / "mvu1_pool.sv").exists()
    assert "module mvu1 " in (project / "rtl" / "mvu1.sv").read_text()
    assert is_fresh(again.project)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "small.onnx"]


def test_the_manifest_lists_every_file_by_its_sha_256(built: thresher.Accelerator) -> None:
    listed = json.loads((built.directory / "manifest.json").read_text())["files"]
    there = _digests(built.directory)
    assert listed.pop("reports/report.json") is None
    del there["reports/report.json"], there["manifest.json"]
    assert listed == there


def test_a_build_that_fails_leaves_the_old_project(tmp_path: Path) -> None:
    target = tmp_path / "project"
    with replacing(target) as folder:
        (folder / "project.json").touch()

    def fail() -> None:
        with replacing(target) as folder:
            (folder / "half").touch()
            raise UsageError("stop")

    with pytest.raises(UsageError):
        fail()
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "project.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_one_character_of_a_step_changes_both_simulations(project: Path) -> None:
    """The RTL is compiled from the C++ that the project holds, and no other."""
    accelerator = thresher.load(project)
    assert accelerator.csim().mismatches == 0
    assert accelerator.sim().mismatches == 0
    header = project / "hls" / "thresher" / "accumulation.hpp"
    text = header.read_text()
    assert text.count("sum >= 0") == 1
    header.write_text(text.replace("sum >= 0", "sum <= 0"))
    csim, rtl = accelerator.csim(), accelerator.sim()
    with pytest.raises(UsageError, match=r"wrote them: 'hls/thresher/accumulation\.hpp'; copy"):
        check_target(project)
    assert csim.mismatches > 0
    differences = [
        {stream.name: (stream.mismatches, stream.first) for stream in run.comparison.streams if stream.wrong}
        for run in (csim, rtl)
    ]
    assert differences[0] == differences[1]
    header.write_text(text)
    assert accelerator.csim().mismatches == 0
    assert accelerator.sim().mismatches == 0


@pytest.mark.parametrize("target", ["csim", "sim"])
def test_make_in_the_project_alone(project: Path, target: str) -> None:
    done = subprocess.run(
        ["make", "-C", str(project), target, f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "m_axis" in done.stdout


def test_a_project_alone_refuses_rtl_older_than_its_cpp(project: Path) -> None:
    header = project / "hls" / "layers" / "mvu0.hpp"
    header.write_text(header.read_text() + "// changed\n")
    done = subprocess.run(
        ["make", "-C", str(project), "sim", f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert (
        "sim: project 'small': hls/ has changed since rtl/ was compiled from it; compile it again with "
        "`thresher sim`, or build the project again"
    ) in done.stderr.splitlines()


def test_nothing_in_a_project_imports_thresher(project: Path) -> None:
    for path in project.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(name.name.partition(".")[0] != "thresher" for name in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] != "thresher", path


def test_the_driver_needs_nothing_but_numpy_and_onnxruntime(project: Path, tmp_path: Path) -> None:
    subprocess.run(["make", "-s", "-C", str(project), "deploy"], check=True)
    board = Path(shutil.copytree(project / "build" / "deploy", tmp_path / "board"))
    code = """
import sys
sys.path.insert(0, '.')
import numpy as np
from network import Network
network = Network()
sent = network.encode(np.ones((3, 12), np.float32))
received = network.decode(network.output.pack(np.zeros((3, 1, 5), int)))
print(sent.shape, received.shape, sorted(name for name in sys.modules if "thresher" in name))
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.append({SITE!r})\n{code}"],
        cwd=board,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""},
    )
    assert done.stdout == "(3, 9) (3, 5) []\n", done.stderr


def test_names_from_the_model_reach_no_source(tmp_path: Path) -> None:
    evil = '"; $finish; //`rm -rf ~`'
    path = tmp_path / "x; exec rm $HOME.onnx"
    onnx.save(small_model(name=evil), path)
    project = thresher.build(path, tmp_path / "project", folding=FOLDING).directory
    for file in project.rglob("*"):
        if file.is_file() and file.suffix not in (".json", ".npz", ".bin", ".onnx"):
            text = file.read_text()
            assert "$finish; //" not in text, file
            assert "exec rm" not in text, file
    described = json.loads((project / "project.json").read_text())
    assert f"{evil}_matmul0" in described["layers"][0]["onnx_nodes"]
    assert described["name"] == "x_exec_rm_HOME"


def test_any_character_may_stand_in_the_path_of_a_project(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" $HOME; #folder'
    folder.mkdir()
    accelerator = thresher.build(save_small_model(folder / "small.onnx"), folder / "project", folding=FOLDING)
    assert accelerator.csim().mismatches == 0


def test_a_trace_holds_every_stream(project: Path) -> None:
    accelerator = thresher.load(project)
    frames = np.random.default_rng(5).integers(0, 16, (7, 12)) * 0.25
    golden, run = accelerator.trace(frames), accelerator.sim(frames, stall=30)
    assert run.mismatches == 0
    assert golden.keys() == run.streams.keys()
    assert all(np.array_equal(golden[name], run.streams[name]) for name in golden)


def _digests(folder: Path) -> dict[str, str]:
    """Of every file of a project; the report is taken without the time that its verification took."""
    digests = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    report = json.loads((folder / "reports" / "report.json").read_text())
    assert report["verification"].pop("seconds") > 0
    return digests | {"reports/report.json": json.dumps(report)}
