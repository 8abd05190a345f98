"""`reports/report.json` of a project, and `report.html` beside it, which is never older."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thresher.emit.files import write_json, write_text
from thresher.report.content import read_report
from thresher.report.html import render_html


def report_path(project: Path) -> Path:
    """Where the report of a project lies."""
    return project / "reports" / "report.json"


def page_path(project: Path) -> Path:
    """Where the report lies as a page."""
    return project / "reports" / "report.html"


@contextlib.contextmanager
def updating_report(project: Path) -> Iterator[dict[str, Any]]:
    """Give the report of a project to be changed, and write it and its page when the block ends well.

    Of commands that end at the same time each finds what the others have written.

    Raises:
        UsageError: It is missing or damaged.
    """
    with _alone(project / "reports"):
        report = read_report(report_path(project))
        yield report
        page_path(project).unlink(missing_ok=True)
        write_json(report_path(project), report)
        write_text(page_path(project), render_html(read_report(report_path(project))))


def write_page(project: Path) -> Path:
    """Write the report of a project as a page; returns its path. Raises as `updating_report`."""
    with _alone(project / "reports"):
        write_text(page_path(project), render_html(read_report(report_path(project))))
    return page_path(project)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for the folder; not every file system can tell."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
