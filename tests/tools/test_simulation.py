"""What a run keeps of its streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import thresher
from tests.models import ModelBuilder
from thresher.tools import simulation


def test_a_long_run_keeps_its_output_and_what_else_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ModelBuilder((1, 6))
    hidden = model.quant(model.node("MatMul", model.bipolar("x"), model.weights(np.eye(6))), 1.0, 0.0, 4)
    output = model.node("MatMul", hidden, model.weights(np.ones((6, 2))))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.proto(output).SerializeToString())
    accelerator = thresher.build(path, output_dir=tmp_path / "a")
    frames = np.random.default_rng(0).normal(0, 1, (5, 6)).astype(np.float32)

    whole = accelerator.csim(frames).streams
    assert list(whole) == [stream.name for stream in accelerator.project.streams[1:]]
    for room, names in ((10 + 30, list(whole)), (39, ["m_axis"]), (0, ["m_axis"])):
        monkeypatch.setattr(simulation, "MOST_ELEMENTS", room)
        kept = accelerator.csim(frames).streams
        assert list(kept) == names
        assert all(np.array_equal(kept[name], whole[name]) for name in names)
