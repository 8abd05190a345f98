"""How many frames a network gets right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.ir.graph import Array
from thresher.ir.integer import Ints


def accuracy(outputs: Array, labels: npt.NDArray[np.integer]) -> float:
    """The fraction of `outputs` that match `labels`: whole class indices, one a frame, or else scores."""
    flat = outputs.reshape(len(outputs), -1)
    chosen = flat.shape[1] == 1 and outputs.dtype.kind in "iu"
    return float(((flat[:, 0] if chosen else flat.argmax(axis=1)) == labels).mean())


def check_labels(labels: npt.ArrayLike, frames: int, classes: int | None, count: int | None = None) -> Ints:
    """The labels of the first `count` of so many `frames`, or of all.

    Args:
        labels: One for each frame, or for each that counts.
        frames: How many frames there are.
        classes: How many classes the model has; None where that is not known.
        count: How many frames count.

    Raises:
        UsageError: They are not whole numbers, too few or too many, or of a class that there is not.
    """
    array = np.asarray(labels)
    taken = frames if count is None else count
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) not in (frames, taken):
        raise UsageError(
            f"labels: the array has shape {list(array.shape)} and dtype {array.dtype}; "
            f"give one whole number per frame, [{frames}]"
        )
    least, most = int(array.min()), int(array.max())
    if least < 0 or (classes is not None and most >= classes):
        has = "classes count from 0" if classes is None else f"the model has {_classes(classes)}"
        raise UsageError(
            f"labels: they go from {least} to {most}, and {has}; give the index of the class of each frame"
        )
    return array[:taken].astype(np.int64)


def _classes(count: int) -> str:
    return "1 class, 0" if count == 1 else f"{count:,} classes, 0 to {count - 1}"
