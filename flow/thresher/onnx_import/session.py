"""onnxruntime, held to computing operator by operator what the model says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from thresher.errors import UnsupportedModelError, printable
from thresher.ir.graph import Array

# Bytes; onnxruntime's own tensors begin at multiples of it.
_ALIGNMENT = 64
_HOST = "host: the float part of the model"


class Session:
    """An onnxruntime session, single-threaded, and one that rewrites nothing.

    Graph optimisations fuse and reorder float operations, which moves results by a rounding; here
    every operator is computed by itself. With `fast` it is as fast as onnxruntime is by itself. A refusal
    says `what` was refused.

    Raises:
        RuntimeRefusalError: onnxruntime refuses the model, on opening it or on running it.
    """

    def __init__(self, model: bytes, fast: bool = False, what: str = _HOST) -> None:
        # It reports to its maker, and complains where it can keep no identifier for that in HOME.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self._what = what
        self._errors = (
            state.Fail,
            state.InvalidArgument,
            state.InvalidGraph,
            state.InvalidProtobuf,
            state.NotImplemented,
            state.RuntimeException,
        )
        options = onnxruntime.SessionOptions()
        if not fast:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
        options.log_severity_level = 4  # What it would log as an error is raised as well.
        try:
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise RuntimeRefusalError(str(error), self._what) from None

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """Compute all outputs, or those that are named."""
        try:
            return list(self.session.run(outputs, {name: _aligned(value) for name, value in feeds.items()}))
        except self._errors as error:
            raise RuntimeRefusalError(str(error), self._what) from None


def _aligned(value: Array) -> Array:
    """`value` where onnxruntime would have put it: in which order some operators add up hangs on that."""
    if value.ctypes.data % _ALIGNMENT == 0 and value.flags.c_contiguous:
        return value
    room = np.empty(value.nbytes + _ALIGNMENT, np.uint8)
    first = -room.ctypes.data % _ALIGNMENT
    result: Array = room[first : first + value.nbytes].view(value.dtype).reshape(value.shape)
    result[...] = value
    return result


class RuntimeRefusalError(UnsupportedModelError):
    """onnxruntime cannot compute a part of the model; `detail` is what it says, in one line."""

    def __init__(self, detail: str, what: str) -> None:
        self.detail = printable(" ".join(detail.split()))
        super().__init__(
            f"{what}: onnxruntime refuses it ({self.detail}); export the model with operators and in an "
            "opset that onnxruntime knows"
        )
