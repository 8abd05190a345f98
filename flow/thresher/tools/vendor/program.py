"""Run a vendor's program on a script of a project's `synth/`, and say why it failed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import MissingToolError, ToolFailedError, UsageError
from thresher.tools.synthesis import Announce, SynthesisRequest
from thresher.tools.workplace import kept_folder
from thresher_sim.project import Project

# A log can be pages long; its errors, or its last lines, say what is wrong.
SHOWN_LINES = 8
_ERROR = re.compile(r"\b(?:ERROR|[Ee]rror)\b(?: \(\d+\))?: ")


@dataclass(frozen=True)
class VendorRun:
    """What a program printed, and its exit status."""

    status: int
    log: Path

    @property
    def text(self) -> str:
        """The log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def reason(self) -> str:
        """Why it failed, in one line: its errors, or its last lines."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR.search(line)]
        return " | ".join(errors[:SHOWN_LINES] or lines[-SHOWN_LINES:])


def find_program(tool: str, names: Sequence[str], remedy: str) -> str:
    """The first of `names` that is on PATH; raises `MissingToolError`."""
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise MissingToolError(f"synth: {tool}: no {' or '.join(names)} on PATH; {remedy}")


def run_script(
    project: Project,
    tool: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    progress: re.Pattern[str],
    announce: Announce,
    keep: bool = False,
) -> VendorRun:
    """Run a script in the project's folder, announce the lines of its output that `progress` finds.

    The log is `<tool>.log` in the folder of the tool, which is emptied first, so that no report is of an
    earlier run; with `keep` all stays, and the log grows.
    """
    folder = kept_folder(project, tool)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{tool}.log"
    with log.open("a", encoding="utf-8") as written:
        process = subprocess.Popen(
            command,
            cwd=project.root,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                written.write(line)
                if progress.search(line):
                    announce(line.strip())
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    return VendorRun(status, log)


def check_run(tool: str, run: VendorRun) -> None:
    """Raises `ToolFailedError` where the program failed."""
    if run.status:
        raise ToolFailedError(f"synth: {tool} fails: {run.reason()}; see '{run.log}'")


def read_report(tool: str, path: Path) -> str:
    """A report's text; raises `ToolFailedError` where the tool left none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise ToolFailedError(f"synth: {tool}: it left no report '{path}'; see its log beside it") from None


def script(project: Project, name: str) -> str:
    """The path of a script of the project, from the project's folder.

    Raises:
        UsageError: the project has none.
    """
    if not (project.root / "synth" / name).is_file():
        raise UsageError(
            f"synth: project '{project.name}' has no script 'synth/{name}'; build the project again"
        )
    return f"synth/{name}"


def check_request(tool: str, request: SynthesisRequest, layers_alone: bool = False) -> None:
    """What the scripts of a project cannot do: another part than its own, units alone.

    Raises:
        UsageError: it is asked for.
    """
    if request.family is not None:
        raise UsageError(f"synth: {tool} takes no family; leave --family out")
    if request.part_given:
        raise UsageError(
            f"synth: {tool} runs the project's own script, for the project's part; leave --part out, or "
            "build the project for that part"
        )
    if (request.seed, request.seeds) != (SynthesisRequest.seed, SynthesisRequest.seeds):
        raise UsageError(f"synth: {tool} takes no seeds; leave --seed and --seeds out")
    if not request.top and not layers_alone:
        raise UsageError(f"synth: {tool} synthesises the whole only; leave --layers out")
