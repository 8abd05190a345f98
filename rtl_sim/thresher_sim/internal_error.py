"""What is left of an error that nobody foresaw: one line for the user, and a file for a report."""

from __future__ import annotations

import os
import platform
import shlex
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

EXIT_CODE = 70
"""That of an internal error: `EX_SOFTWARE` of BSD's sysexits.h."""
FILE = "thresher-error.txt"
_MOST_SAID = 1000


def describe_internal_error(
    error: Exception, program: str, arguments: Sequence[str], folders: Iterable[Path]
) -> str:
    """Write the traceback of `error` to the first of `folders` that can be written, and say where, in a line.

    Where none of them can be it is the folder for temporary files. `program` is its name and version.
    """
    said = " ".join(str(error).split())[:_MOST_SAID]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    kept = _keep(_text(error, program, arguments), folders)
    where = f"the traceback is in '{kept}'" if kept else "the traceback could not be written anywhere"
    return f"internal error: {what}; {where}; please report this fault of Thresher's with it"


def _keep(text: str, folders: Iterable[Path]) -> Path | None:
    """The file that holds `text` now."""
    for folder in (*folders, Path(tempfile.gettempdir())):
        beside = folder / f".{FILE}.{os.getpid()}"
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(folder / FILE)
        except OSError:
            continue
        return folder / FILE
    return None


def _text(error: Exception, program: str, arguments: Sequence[str]) -> str:
    said = "".join(traceback.format_exception(error))
    system = f"Python {platform.python_version()}, {platform.platform()}"
    text = f"{program}, {system}\n$ {shlex.join([program.split(maxsplit=1)[0], *arguments])}\n\n{said}"
    # Names of files may hold bytes that are no UTF-8.
    return text.encode(errors="backslashreplace").decode()
