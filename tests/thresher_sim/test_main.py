"""The command line that a project's Makefile calls, from a copy of the package without Thresher."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import thresher_sim
from tests.thresher_sim.example import OUTPUT
from thresher_sim.__main__ import main
from thresher_sim.project import Project
from thresher_sim.vectors import beats_path


def test_csim(example: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["csim", str(example.root), "--frames", "7"]) == 0
    captured = capsys.readouterr()
    table, summary = captured.out[: captured.out.index("csim")], captured.out[captured.out.index("csim") :]
    assert table == (
        "stream     layer  beats  mismatches\n"
        "twice_out  twice     21           0\n"
        "m_axis     total      7           0\n"
    )
    assert re.fullmatch(
        r"csim \(bitint\): 7 frames in \d+\.\d\d s \([\d,]+ frames/s\), 0 mismatches\n", summary
    )


def test_sim(example: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["sim", str(example.root), "--results", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(
        "stream     layer       beats  mismatches\n"
        "s_axis     (stimulus)    120           0\n"
        "twice_out  twice         120           0\n"
        "m_axis     total          40           0\n"
        "cycles     stated  measured\n"
        "per frame       3         3\n"
        "latency         5         5\n"
        "sim: 40 frames, "
    )
    assert captured.err == "sim: building what changed, then running ...\n"
    assert beats_path(tmp_path, OUTPUT).read_bytes() == beats_path(example.vectors, OUTPUT).read_bytes()


def test_a_mismatch_is_exit_code_1(
    example: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    vectors = tmp_path / "vectors"
    shutil.copytree(example.vectors, vectors)
    path = beats_path(vectors, OUTPUT)
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    assert main(["csim", str(example.root), "--vectors", str(vectors)]) == 1
    captured = capsys.readouterr()
    assert "m_axis     total     40           1\n" in captured.out
    assert captured.err.startswith(
        "csim: layer 'total', stream 'm_axis': frame 0, beat 0, element 0: expected "
    )


def test_wrong_usage_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"project: '{tmp_path}' is not a Thresher project: it holds no project.json; "
        "name a folder that `thresher build` wrote\n"
    )


def test_a_missing_tool_is_exit_code_4(
    example: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["sim", str(example.root)]) == 4
    assert capsys.readouterr().err.endswith(
        "toolchain: perl: not found on PATH; install it (Debian: `apt-get install perl`)\n"
    )


@pytest.mark.parametrize("command", ["csim", "sim"])
def test_it_runs_in_the_project_without_thresher(command: str, example: Project, tmp_path: Path) -> None:
    """From a copy of the package, with a Python that cannot import `thresher`."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(thresher_sim.__file__).parent, tmp_path / "sim" / "thresher_sim", ignore=ignore)
    (tmp_path / "sim" / "thresher").mkdir()
    (tmp_path / "sim" / "thresher" / "__init__.py").write_text("raise SystemExit('not here')\n")
    done = subprocess.run(
        [sys.executable, "-m", "thresher_sim", command, str(example.root), "--frames", "3"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "sim")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("0 mismatches")
