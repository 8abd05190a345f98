"""What holding a network to its model gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thresher.errors import ThresherError, printable


class VerificationError(ThresherError):
    """The golden model does not give what the ONNX model gives."""

    exit_code = 1


@dataclass(frozen=True)
class Difference:
    """The first place in a tensor where the two differ: what golden `got`, and what the model `wanted`.

    Both are integers, or values in the model's units where no integer means the model's value.
    """

    frame: int
    channel: int
    got: float
    wanted: float

    def __str__(self) -> str:
        pair = f"golden has {self.got:.9g}, the model {self.wanted:.9g}"
        return f"channel {self.channel}: {pair} (frame {self.frame})"


@dataclass(frozen=True)
class TensorResult:
    """One tensor of the model, compared in all frames.

    Attributes:
        tensor: its name in the model, `node` that of the ONNX node that writes it.
        elements: how many were compared.
        mismatches: how many differ, and no order of float32 additions explains it.
        ties: how many differ, and float32 can give either.
        first: the first of the mismatches.
        error: of a tensor that fixed point computes, how far it was off, in the model's units.
        bound: how far off it may be at most, float32's rounding of the model included.
    """

    tensor: str
    node: str
    elements: int
    mismatches: int
    ties: int = 0
    first: Difference | None = None
    error: float | None = None
    bound: float | None = None

    def joined(self, other: TensorResult) -> TensorResult:
        """Both, of the same tensor in other frames."""
        errors = [each.error for each in (self, other) if each.error is not None]
        bounds = [each.bound for each in (self, other) if each.bound is not None]
        return TensorResult(
            self.tensor,
            self.node,
            self.elements + other.elements,
            self.mismatches + other.mismatches,
            self.ties + other.ties,
            self.first or other.first,
            max(errors) if errors else None,
            max(bounds) if bounds else None,
        )


@dataclass(frozen=True)
class Verification:
    """All tensors that were compared in the order of the model, in how many frames, in what time."""

    frames: int
    tensors: tuple[TensorResult, ...]
    seconds: float

    @property
    def mismatches(self) -> int:
        """Elements that differ, ties left out."""
        return sum(each.mismatches for each in self.tensors)

    @property
    def ties(self) -> Mapping[str, int]:
        """The number of ties of each tensor that has any."""
        return {each.tensor: each.ties for each in self.tensors if each.ties}

    def check(self, also: str = "") -> None:
        """Do nothing where golden gives what the model gives; `also` ends the message.

        Raises:
            VerificationError: It does not; the message names the first tensor.
        """
        wrong = next((each for each in self.tensors if each.mismatches), None)
        if wrong is None or wrong.first is None:
            return
        raise VerificationError(
            f"verification: node '{printable(wrong.node)}': the hardware would not compute its output "
            f"'{printable(wrong.tensor)}' as the model does, in {wrong.mismatches:,} of {wrong.elements:,} "
            f"elements of {self.frames} frames; {wrong.first}; this is a fault of Thresher, please report it "
            f"with the model{also}"
        )

    def to_json(self) -> dict[str, object]:
        """The entry `verification` of the report."""
        return {
            "done": True,
            "frames": self.frames,
            "tensors": len(self.tensors),
            "mismatches": self.mismatches,
            "ties": dict(self.ties),
            "seconds": round(self.seconds, 3),
        }


NOT_DONE: Mapping[str, object] = {
    "done": False,
    "frames": 0,
    "tensors": 0,
    "mismatches": 0,
    "ties": {},
    "seconds": 0.0,
}
"""The entry of a build that was not held to its model."""


def join_results(parts: Sequence[Sequence[TensorResult]]) -> tuple[TensorResult, ...]:
    """The results of several groups of frames, tensor by tensor."""
    joined: dict[str, TensorResult] = {}
    for part in parts:
        for each in part:
            joined[each.tensor] = joined[each.tensor].joined(each) if each.tensor in joined else each
    return tuple(joined.values())
