"""onnxruntime, held to computing operator by operator what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thresher.errors import UnsupportedModelError
from thresher.graph import Array


class Session:
    """A single-threaded onnxruntime session that rewrites nothing.

    Graph optimisations fuse and reorder float operations, which moves results by a rounding; here
    every operator is computed by itself.

    Raises:
        UnsupportedModelError: onnxruntime refuses the model, on opening it or on running it.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self._errors = (
            state.Fail,
            state.InvalidArgument,
            state.InvalidGraph,
            state.NotImplemented,
            state.RuntimeException,
        )
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise _refused(error) from None

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Compute all outputs."""
        try:
            return list(self.session.run(None, dict(feeds)))
        except self._errors as error:
            raise _refused(error) from None


def _refused(error: Any) -> UnsupportedModelError:
    return UnsupportedModelError("onnxruntime says: " + " ".join(str(error).split()))
