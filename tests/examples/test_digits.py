"""The example that `make demo` runs: its training is real, and its model goes through the whole chain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import thresher
from bench.qonnx_executor import execute
from train import Split, accuracy, load_split, save, train


@dataclass(frozen=True, eq=False)
class Trained:
    split: Split
    network: nn.Module
    model: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The demo's own network, trained as the demo trains it."""
    split = load_split()
    network = train(split)
    return Trained(split, network, save(network, split, tmp_path_factory.mktemp("digits")))


def test_the_split_holds_out_a_quarter_of_each_class() -> None:
    split = load_split()

    assert split.train_x.shape == (1347, 1, 8, 8)
    assert split.test_x.shape == (450, 1, 8, 8)
    assert np.abs(np.bincount(split.test_y) * 3 - np.bincount(split.train_y)).max() <= 2
    assert set(np.unique(split.test_x)) <= set(range(17))


def test_training_reaches_what_the_demo_promises(trained: Trained) -> None:
    assert accuracy(trained.network, trained.split.test_x, trained.split.test_y) > 0.93


def test_the_test_split_lies_beside_the_model(trained: Trained) -> None:
    folder = trained.model.parent

    assert sorted(path.name for path in folder.iterdir()) == ["digits.onnx", "test_x.npy", "test_y.npy"]
    assert np.array_equal(np.load(folder / "test_x.npy"), trained.split.test_x)
    assert np.array_equal(np.load(folder / "test_y.npy"), trained.split.test_y)


@pytest.mark.parametrize("input_type", [None, "uint8"])
def test_the_golden_model_gives_what_qonnx_gives(
    trained: Trained, tmp_path: Path, input_type: str | None
) -> None:
    scale = None if input_type is None else 1.0
    accelerator = thresher.build(
        trained.model, tmp_path / "project", input_type=input_type, input_scale=scale, target_fps=1_000_000
    )
    images = trained.split.test_x[:100]
    expected, _ = execute(trained.model, images)

    frames = images if input_type is None else images.astype(np.uint8)
    scores = accelerator.predict(frames)

    # The last batch norm is float arithmetic on the host; the classes leave no room.
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)
    assert np.array_equal(scores.argmax(1), expected.argmax(1))
