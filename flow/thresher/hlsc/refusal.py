"""What hlsc cannot turn into hardware."""

from __future__ import annotations

from thresher.errors import UnsupportedModelError


class UnsupportedUnitError(UnsupportedModelError):
    """The C++ of a unit is valid, and cannot become a pipeline with initiation interval 1.

    `line` is the place in the C++ as `file:line`, or empty where none is known.
    """

    def __init__(self, line: str, reason: str, remedy: str) -> None:
        place = f"{line}: " if line else ""
        super().__init__(f"hlsc: {place}{reason}; {remedy}")
