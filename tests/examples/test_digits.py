"""The example that `make demo` runs: its training is real, and its models go through the whole chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import thresher
from bench.qonnx_executor import Floats, execute
from demo import TARGET_FPS
from networks import pad_signs
from thresher.building import parse_input_type
from thresher.ir.graph import Graph, interpret
from thresher.ir.integer import IntMatMul, IntNode
from thresher.lower import lower
from thresher.onnx_import import import_model, read_model
from train import RECIPES, Split, accuracy, load_split, save, train


@dataclass(frozen=True, eq=False)
class Trained:
    split: Split
    network: nn.Sequential
    model: Path
    target_fps: int

    def build(self, folder: Path, input_type: str | None = "uint8") -> thresher.Accelerator:
        """The demo's accelerator, or the one whose input is quantised by the host."""
        scale = None if input_type is None else 1.0
        return thresher.build(
            self.model, folder, input_type=input_type, input_scale=scale, target_fps=self.target_fps
        )


def train_as_demo(kind: str, folder: Path) -> Trained:
    split, recipe = load_split(), RECIPES[kind]
    network = train(split, recipe)
    return Trained(split, network, save(network, split, folder, recipe.name), TARGET_FPS[kind])


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_as_demo("dense", tmp_path_factory.mktemp("dense"))


@pytest.fixture(scope="module")
def conv(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_as_demo("conv", tmp_path_factory.mktemp("conv"))


def evaluate(network: nn.Module, images: Floats) -> Floats:
    with torch.no_grad():
        scores: Floats = network(torch.from_numpy(images)).numpy()
    return scores


def assert_same_scores(scores: Floats, expected: Floats) -> None:
    # The last batch norm is float arithmetic on the host; the classes leave no room.
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)
    assert np.array_equal(scores.argmax(1), expected.argmax(1))


def test_the_split_holds_out_a_quarter_of_each_class() -> None:
    split = load_split()

    assert split.train_x.shape == (1347, 1, 8, 8)
    assert split.test_x.shape == (450, 1, 8, 8)
    assert np.abs(np.bincount(split.test_y) * 3 - np.bincount(split.train_y)).max() <= 2
    assert set(np.unique(split.test_x)) <= set(range(17))


@pytest.mark.parametrize("kind", RECIPES)
def test_training_reaches_what_the_demo_promises(kind: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(kind)

    assert accuracy(trained.network, trained.split.test_x, trained.split.test_y) > 0.93


@pytest.mark.parametrize("kind", RECIPES)
def test_the_test_split_lies_beside_the_model(kind: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(kind)
    folder, name = trained.model.parent, f"{RECIPES[kind].name}.onnx"

    assert sorted(path.name for path in folder.iterdir()) == [name, "test_x.npy", "test_y.npy"]
    assert np.array_equal(np.load(folder / "test_x.npy"), trained.split.test_x)
    assert np.array_equal(np.load(folder / "test_y.npy"), trained.split.test_y)


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize("input_type", [None, "uint8"])
def test_the_golden_model_gives_what_qonnx_gives(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, input_type: str | None
) -> None:
    trained: Trained = request.getfixturevalue(kind)
    accelerator = trained.build(tmp_path / "project", input_type)
    images = trained.split.test_x[:100]
    expected, _ = execute(trained.model, images)

    frames = images if input_type is None else images.astype(np.uint8)
    assert_same_scores(accelerator.predict(frames), expected)


def test_the_convolutions_run_in_rtl_as_stated(conv: Trained, tmp_path: Path) -> None:
    accelerator = conv.build(tmp_path / "project")
    images = conv.split.test_x[:8]

    run = accelerator.sim(images.astype(np.uint8))

    assert run.mismatches == 0
    assert run.warnings == ()
    assert run.cycles_per_frame == accelerator.report()["estimate"]["cycles_per_frame"]
    assert_same_scores(accelerator.host.decode(run.outputs), evaluate(conv.network, images))


def test_padding_with_zero_is_what_the_network_does(conv: Trained) -> None:
    images = conv.split.test_x

    assert np.array_equal(evaluate(pad_signs(conv.network, 0), images), evaluate(conv.network, images))


def test_padding_as_minus_one_is_the_hardware_without_corrections(conv: Trained, tmp_path: Path) -> None:
    """And it costs accuracy, or the demo would show nothing."""
    images = conv.split.test_x
    host = conv.build(tmp_path / "project").host
    lowered = lower(import_model(read_model(conv.model)).graph, parse_input_type("uint8"), 1.0)
    graph = lowered.graph
    bare = Graph[IntNode](
        tuple(
            replace(node, corrections=None) if isinstance(node, IntMatMul) else node for node in graph.nodes
        ),
        graph.inputs,
        graph.outputs,
    )

    streams = interpret(bare, {graph.inputs[0]: host.encode(images.astype(np.uint8))})

    expected = evaluate(pad_signs(conv.network, -1), images)
    assert_same_scores(host.decode(streams[graph.outputs[0]]), expected)
    correct = (expected.argmax(1) == conv.split.test_y).mean()
    assert correct < accuracy(conv.network, images, conv.split.test_y) - 0.02
