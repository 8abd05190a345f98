"""Problems that belong to one node of the ONNX model."""

from __future__ import annotations

from thresher.errors import UnsupportedModelError

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
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
