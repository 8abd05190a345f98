"""The network and the images that are measured."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
TFC = SHARED / "models" / "TFC_1W1A.onnx"
_PARALLEL = ((16, 49), (8, 8), (8, 8), (10, 8))
# 64 cycles per frame.
TFC_FOLDING = {f"mvu{index}": {"pe": pe, "simd": simd} for index, (pe, simd) in enumerate(_PARALLEL)}
IDX_IMAGES, IDX_LABELS = 16, 8  # bytes of header


@dataclass(frozen=True, eq=False)
class Case:
    """A model, its images as integers `[N, ...]` with their scale, labels, and a folding or a rate."""

    name: str
    model: Path
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    input_scale: Fraction
    folding: dict[str, dict[str, int]] | None
    target_fps: float | None


def choose_case(folder: Path) -> Case:
    """TFC_1W1A on MNIST where both lie beside the checkout, else digits, trained into `folder`."""
    data = SHARED / "data" / "mnist"
    return mnist_case(TFC, data) if TFC.is_file() and data.is_dir() else digits_case(folder)


def mnist_case(model: Path, data: Path) -> Case:
    """The public TFC_1W1A, folded to 64 cycles per frame, on the 10,000 test images of MNIST."""
    images = read_idx(data / "t10k-images-idx3-ubyte.gz", IDX_IMAGES).reshape(-1, 1, 28, 28)
    labels = read_idx(data / "t10k-labels-idx1-ubyte.gz", IDX_LABELS).astype(np.int64)
    return Case("TFC_1W1A on MNIST", model, images, labels, Fraction(1, 255), TFC_FOLDING, None)


def digits_case(folder: Path) -> Case:
    """The demo's network, trained here, on the held-out digits."""
    trainer = CHECKOUT / "examples" / "digits" / "train.py"
    subprocess.run([sys.executable, str(trainer), "--output", str(folder)], check=True)
    images = np.load(folder / "test_x.npy").astype(np.uint8)
    labels = np.load(folder / "test_y.npy")
    return Case("1-bit digits", folder / "digits.onnx", images, labels, Fraction(1), None, 1_000_000)


def read_idx(path: Path, header: int) -> npt.NDArray[np.uint8]:
    """The bytes of a gzipped IDX file behind its header."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
