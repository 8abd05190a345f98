"""Where a synthesis tool works: `build/synth/<tool>` of a project, which one run replaces as a whole."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from thresher.errors import ThresherError
from thresher_sim.project import Project


def kept_folder(project: Project, tool: str) -> Path:
    """Where scripts, logs and results of a tool's last run lie."""
    return project.build / "synth" / tool


@contextlib.contextmanager
def workplace(project: Project, tool: str) -> Iterator[Path]:
    """Give an empty folder to run a tool in, which takes the place of `kept_folder` when the block ends.

    That is so whether it ends well or by an error of ours, so that the logs of what failed are there to
    read; the error then names the folder where they lie. Runs at the same time do not meet: the one that
    ends last is kept.
    """
    kept = kept_folder(project, tool)
    kept.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{tool}.", dir=kept.parent))
    work.chmod(0o755)
    try:
        yield work
    except ThresherError as error:
        _keep(work, kept)
        raise type(error)(str(error).replace(str(work), str(kept))) from None
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    _keep(work, kept)


def _keep(work: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{kept.name}.old.", dir=kept.parent) as folder:
        with contextlib.suppress(FileNotFoundError):
            kept.rename(Path(folder) / kept.name)
        work.rename(kept)
