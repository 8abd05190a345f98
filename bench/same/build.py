"""What one revision makes of a model: the files of its project, what its commands say, and its figures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.same.models import Case

# What no two builds have in common, and what is made of files that are compared themselves.
_LEFT_OUT_KEYS = frozenset({"seconds", "frames_per_second", "hls_sha256"})
_LEFT_OUT_FILES = frozenset({"manifest.json", "report.html"})


@dataclass(frozen=True)
class Made:
    """What came of a model.

    Attributes:
        code: the exit code of the first command that failed, or 0.
        said: what that command printed on stderr.
        files: the contents of the project's files by their paths; JSON without times and digests.
    """

    code: int
    said: str
    files: dict[str, bytes]


def make(case: Case, tree: Path, folder: Path) -> Made:
    """Build a case by the code in `tree`, with its project in `folder`."""
    project = folder / case.name
    commands = [["build", str(case.model), "-o", str(project), *case.options]]
    if case.measured:
        commands.append(["csim", str(project)])
        commands.append(["sim", str(project), "--stall", "20", "--seed", "1"])
        commands.append(["synth", str(project), "--tool", "yosys", "--family", "xc7", "--top-only"])
    for command in commands:
        done = _thresher(command, tree)
        if done.returncode:
            return Made(done.returncode, done.stderr.replace(str(folder), "FOLDER"), {})
    files = _files(project)
    shutil.rmtree(project)
    return Made(0, "", files)


def _thresher(arguments: Sequence[str], tree: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(tree / name) for name in ("flow", "rtl_sim"))
    command = [sys.executable, "-m", "thresher", *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _files(project: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project)
        if path.is_file() and name.parts[0] != "build" and name.name not in _LEFT_OUT_FILES:
            found[str(name)] = _json(path) if path.suffix == ".json" else path.read_bytes()
    return found


def _json(path: Path) -> bytes:
    content = _comparable(json.loads(path.read_text(encoding="utf-8")))
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items() if key not in _LEFT_OUT_KEYS}
    return [_comparable(each) for each in value] if isinstance(value, list) else value
