"""Errors that a user can act on. Each class carries the exit code of the command line."""

from __future__ import annotations

from typing import ClassVar


class ThresherError(Exception):
    """Base of every error that Thresher raises on purpose.

    The message says what failed, where, why, and what to do about it, in one line.
    """

    exit_code: ClassVar[int] = 2


class SimulationMismatchError(ThresherError):
    """A simulation differs from the golden model."""

    exit_code = 1


class UsageError(ThresherError):
    """The request itself is wrong: an argument, a folding file, an input array, a folder."""

    exit_code = 2


class UnsupportedModelError(ThresherError):
    """The model is read and understood to be something that cannot become hardware."""

    exit_code = 3


class MissingToolError(ThresherError):
    """An external program that the request needs is not installed."""

    exit_code = 4


class ToolFailedError(ThresherError):
    """An external program ran and failed, or hung."""

    exit_code = 5
