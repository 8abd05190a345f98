"""Warnings: what is allowed and probably not meant."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from thresher.errors import InputWarning, ThresherWarning

_PACKAGE = f"{Path(__file__).resolve().parent}{os.sep}"


def warn(message: str, category: type[ThresherWarning]) -> None:
    """Warn, at the line outside of this package that called it."""
    warnings.warn(message, category, stacklevel=_outside())


@contextmanager
def nothing_said_twice() -> Iterator[None]:
    """Give no warnings of inputs that were looked at before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        yield


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings of this package as the command line does, each as one line on stderr.

    Those of numpy, of floats that overflow, are not for users: what that spoils is refused by name.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("default", ThresherWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ThresherWarning):
                print(f"thresher: warning: {message}", file=sys.stderr, flush=True)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _outside() -> int:
    """How many calls up from `warn` the package is left."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
