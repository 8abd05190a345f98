"""`.ci/run` on a machine that lacks packages, with stand-ins for the programs that it calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_ci(folder: Path, *, missing: str, user: int) -> tuple[int, list[str]]:
    """Run a copy of `.ci/run` where `missing` is not there; return its status and what it called."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    programs = folder / "programs"
    programs.mkdir()
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name in {"make", "g++", "perl", "iverilog", "tclsh", "python3", "apt-get"} - {missing}:
        write_program(programs / name, f'echo "{name} $*" >> "{folder}/calls"')
    write_program(programs / "id", f"echo {user}")
    command = [str(programs / "bash"), str(folder / ".ci" / "run")]
    run = subprocess.run(command, env={"PATH": str(programs)}, capture_output=True, check=False)
    calls = (folder / "calls").read_text().splitlines()
    return run.returncode, [call for call in calls if not call.startswith("python3")]


def write_program(path: Path, line: str) -> None:
    path.write_text(f"#!{shutil.which('sh')}\n{line}\n")
    path.chmod(0o755)


def test_root_gets_what_is_missing(tmp_path: Path) -> None:
    status, calls = run_ci(tmp_path, missing="g++", user=0)

    assert status == 0
    assert calls == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends g++",
        "make --no-print-directory test",
    ]


def test_others_leave_it_to_make(tmp_path: Path) -> None:
    status, calls = run_ci(tmp_path, missing="perl", user=1000)

    assert status == 0
    assert calls == ["make --no-print-directory test"]
