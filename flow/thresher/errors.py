"""Errors and warnings that a user can act on; errors come from the run-time, which travels with projects."""

from __future__ import annotations

from thresher_sim.errors import (
    MissingToolError,
    SimulationMismatchError,
    ThresherError,
    ToolFailedError,
    UnsupportedModelError,
    UsageError,
)

__all__ = [
    "RETRAIN",
    "HostLayerWarning",
    "InputWarning",
    "MissingToolError",
    "NodeError",
    "SimulationMismatchError",
    "ThresherError",
    "ThresherWarning",
    "ToolFailedError",
    "UnsupportedModelError",
    "UsageError",
    "one_line",
    "printable",
]


class ThresherWarning(UserWarning):
    """Base of every warning: something is allowed, and probably not what is meant."""


class InputWarning(ThresherWarning):
    """Inputs, or the type and scale of the hardware's input, do not fit the model's first quantiser."""


class HostLayerWarning(ThresherWarning):
    """Layers stay on the host that could be in hardware."""


RETRAIN = "train the model again, or mend the export"
"""The remedy where a model holds numbers that mean nothing."""


class NodeError(UnsupportedModelError):
    """A node that cannot be taken: which, why, and what to do about it.

    The message is `stage: node 'NAME': reason; remedy`, always in one line.
    """

    def __init__(self, stage: str, node: str, reason: str, remedy: str) -> None:
        self.node = node
        self.reason = printable(reason)
        self.remedy = printable(remedy)
        super().__init__(f"{stage}: node '{printable(node)}': {self.reason}; {self.remedy}")


_MOST_PRINTED = 1000
"""Characters of a name or a reason that a message shows."""


def printable(text: str) -> str:
    """Return `text` as one line to read: control characters escaped, the middle of a long one left out."""
    if len(text) > _MOST_PRINTED:
        half = _MOST_PRINTED // 2
        text = f"{text[:half]} ... ({len(text):,} characters) ... {text[-half:]}"
    return one_line(text)


def one_line(text: str) -> str:
    """Return `text` with control characters escaped, such as those of a file's name."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
