"""A deep convolutional network with random weights, as a QONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from tests.models import ModelBuilder

CONVOLUTIONS = 50
SIZE = 32
CHANNELS = (64, 128, 256, 512)


def write_deep_network(path: Path) -> Path:
    """Convolutions of 3 x 3 with padding, and signs behind them; when the channels double, the map halves."""
    random = np.random.default_rng(0)
    model = ModelBuilder((1, CHANNELS[0], SIZE, SIZE))
    tensor, channels = model.bipolar("x"), CHANNELS[0]
    for index in range(CONVOLUTIONS):
        rows = CHANNELS[len(CHANNELS) * index // CONVOLUTIONS]
        stride = rows // channels
        signs = random.choice([-1.0, 1.0], (rows, channels, 3, 3)).astype(np.float32)
        weights = model.bipolar(model.constant(signs))
        tensor = model.node("Conv", tensor, weights, strides=[stride, stride], pads=[1, 1, 1, 1])
        shift, mean = random.normal(0, 1, (2, rows))
        tensor = model.bipolar(model.batch_norm(tensor, np.ones(rows), shift, 8 * mean, np.full(rows, 99.0)))
        channels = rows
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model.proto(tensor), str(path))
    return path
