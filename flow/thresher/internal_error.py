"""What is left of an error that nobody foresaw: one line for the user, and a file for a report."""

from __future__ import annotations

import argparse
import platform
import shlex
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from thresher.emit.files import write_text
from thresher.onnx_import.problems import printable

EXIT_CODE = 70
"""That of an internal error: `EX_SOFTWARE` of BSD's sysexits.h."""
FILE = "thresher-error.txt"


def describe_internal_error(
    error: Exception, arguments: Sequence[str], options: argparse.Namespace | None
) -> str:
    """Write the traceback of `error` to a file beside the command's output, and return a line that names it.

    Where that folder cannot be written it is the folder for temporary files.
    """
    said = printable(" ".join(str(error).split()))
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    kept = _keep(_text(error, arguments), options)
    where = f"the traceback is in '{kept}'" if kept else "the traceback could not be written anywhere"
    return f"internal error: {what}; {where}; please report this fault of Thresher's with it"


def _keep(text: str, options: argparse.Namespace | None) -> Path | None:
    """The file that holds `text` now."""
    for folder in _folders(options):
        try:
            write_text(folder / FILE, text)
        except OSError:
            continue
        return folder / FILE
    return None


def _folders(options: argparse.Namespace | None) -> Iterator[Path]:
    """Where a command's output is looked for: beside it, else where a user may write."""
    for name in ("output", "project", "json"):
        path = getattr(options, name, None)
        if isinstance(path, Path) and path.absolute().parent.is_dir():
            yield path.parent
    yield Path()
    yield Path(tempfile.gettempdir())


def _text(error: Exception, arguments: Sequence[str]) -> str:
    said = "".join(traceback.format_exception(error))
    system = f"Python {platform.python_version()}, {platform.platform()}"
    text = f"thresher {version('thresher')}, {system}\n$ {shlex.join(['thresher', *arguments])}\n\n{said}"
    # Names of files may hold bytes that are no UTF-8.
    return text.encode(errors="backslashreplace").decode()
