"""onnxruntime sessions: the same values give the same results, wherever they lie in memory."""

from __future__ import annotations

import numpy as np

from tests.models import ModelBuilder
from thresher.onnx_import.session import Session


def test_results_do_not_hang_on_where_an_array_begins() -> None:
    """In which order a reduction adds up does, in onnxruntime by itself."""
    build = ModelBuilder((1, 1, 37))
    proto = build.proto(build.node("ReduceMean", "x", axes=[2], keepdims=1))
    proto.opset_import[0].version = 13
    session = Session(proto.SerializeToString())
    values = np.random.default_rng(0).normal(size=(200, 1, 37)).astype(np.float32)
    for row in values:
        results = set()
        for offset in range(0, 64, 4):
            room = np.zeros(37 * 4 + 64, np.uint8)
            placed = room[offset : offset + 37 * 4].view(np.float32).reshape(1, 1, 37)
            placed[...] = row
            results.add(float(session.run({"x": placed})[0].reshape(())))
        assert len(results) == 1
