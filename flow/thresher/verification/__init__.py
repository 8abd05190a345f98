"""Holding a network's integers to the ONNX model, evaluated apart from all that lowering does."""

from thresher.verification.results import (
    NOT_DONE,
    Difference,
    TensorResult,
    Verification,
    VerificationError,
)
from thresher.verification.verify import compute_output, verify_design, verify_frames

__all__ = [
    "NOT_DONE",
    "Difference",
    "TensorResult",
    "Verification",
    "VerificationError",
    "compute_output",
    "verify_design",
    "verify_frames",
]
