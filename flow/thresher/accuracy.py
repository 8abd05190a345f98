"""How many frames a network gets right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.graph import Array
from thresher.lower.integer import Ints


def accuracy(outputs: Array, labels: npt.NDArray[np.integer]) -> float:
    """The fraction of `outputs` that match `labels`: whole class indices, one a frame, or else scores."""
    flat = outputs.reshape(len(outputs), -1)
    chosen = flat.shape[1] == 1 and outputs.dtype.kind in "iu"
    return float(((flat[:, 0] if chosen else flat.argmax(axis=1)) == labels).mean())


def check_labels(labels: npt.ArrayLike, count: int) -> Ints:
    """The labels of the first `count` frames.

    Raises:
        UsageError: They are not whole numbers, or too few.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) < count:
        raise UsageError(
            f"labels: the array has shape {list(array.shape)} and dtype {array.dtype}; "
            f"give one whole number per frame, [{count}]"
        )
    return array[:count].astype(np.int64)
