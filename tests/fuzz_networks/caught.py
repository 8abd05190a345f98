"""Errors of any kind, taken as results."""

from __future__ import annotations

import traceback
from types import TracebackType


class Caught:
    """Ends with the first error within it, which is then `error`; what is no error of a program passes."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Caught:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        return True

    @property
    def detail(self) -> str:
        """The traceback of the error."""
        return "" if self.error is None else "".join(traceback.format_exception(self.error))

    @property
    def place(self) -> str:
        """The kind of the error, and where in the package it was raised."""
        trace = None if self.error is None else self.error.__traceback__
        places = [
            f"{frame.filename.rpartition('thresher/')[2]}:{frame.name}"
            for frame in traceback.extract_tb(trace)
            if "/thresher/" in frame.filename
        ]
        return f"{type(self.error).__name__} in {places[-1] if places else _last(trace)}"


def _last(trace: TracebackType | None) -> str:
    frames = [frame for frame in traceback.extract_tb(trace) if "/tests/" in frame.filename]
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].name}" if frames else "another package"
