"""The examples of binarisation methods, each from training to RTL, in a reduced form of `make methods`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import run_method as command
import thresher
from chain import Outcome, Settings, build, run_method, train_anew
from exporting import EXPORTERS, export_plain
from training import Floats, Split, load_split, torch_scores
from xnor_net import make_with_scale, make_without_scale

EPOCHS = 4
IMAGES = 16  # in RTL; the golden model takes all


@pytest.fixture(scope="module")
def split() -> Split:
    return load_split()


def assert_like_onnx(folder: Path, outcomes: list[Outcome], split: Split) -> None:
    """The golden model against the ONNX model on all held-out images: the same, or near where not exact."""
    method = command.find_method(outcomes[0].method)
    frames = split.test_x.reshape(-1, *method.frame)
    for index, (outcome, variant) in enumerate(zip(outcomes, method.variants, strict=True), start=1):
        expected = method.scores(folder / f"{method.name}_{index}.onnx", frames)
        scores = thresher.load(folder / f"{method.name}_{index}_accelerator").predict(frames)
        if outcome.exact:
            assert_same(scores, expected)
        elif "drop_input_scale" not in variant.build:
            assert (scores.argmax(1) != expected.argmax(1)).mean() < 0.05


def assert_same(scores: Floats, expected: Floats) -> None:
    # What follows the last integers is float arithmetic on the host; the classes leave no room.
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(scores.argmax(1), expected.argmax(1))


@pytest.mark.parametrize("name", command.METHODS)
def test_a_method_from_training_to_rtl(name: str, split: Split, tmp_path: Path) -> None:
    method = command.find_method(name)
    # Each exporter has its share; the next test gives the first method to the other one.
    exporter = EXPORTERS[command.METHODS.index(name) % len(EXPORTERS)]

    outcomes = run_method(method, split, Settings(tmp_path, exporter, EPOCHS, IMAGES), lambda _: None)

    assert [outcome.variant for outcome in outcomes] == [variant.title for variant in method.variants]
    for outcome in outcomes:
        assert (outcome.images, outcome.mismatches, outcome.warnings) == (IMAGES, 0, ())
        assert outcome.export_differs == 0
        assert outcome.quantised > 0.5
    assert_like_onnx(tmp_path, outcomes, split)


def test_what_is_left_without_k_is_the_network_without_k(split: Split, tmp_path: Path) -> None:
    method, settings = command.find_method("xnor_net"), Settings(tmp_path, epochs=1)
    trained = train_anew(method, make_with_scale, split, settings)
    export_plain(trained, tmp_path / "xnor_net.onnx", "dynamo")
    (variant,) = [variant for variant in method.variants if not variant.exact]
    without = make_without_scale()
    without.load_state_dict(trained.state_dict())

    accelerator = build(method, variant, tmp_path / "xnor_net.onnx", split)

    assert_same(accelerator.predict(split.test_x), torch_scores(without.eval(), split.test_x))


def test_the_command_prints_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"run_method bnn --output {tmp_path} --exporter torchscript --epochs 1 --images 2"
    monkeypatch.setattr("sys.argv", words.split())
    monkeypatch.setenv("COLUMNS", "200")

    assert command.main() == 0

    printed = capsys.readouterr().out
    assert "Binarized Neural Networks, 2016, arXiv:1602.02830" in printed
    (row,) = [line for line in printed.splitlines() if "bnn, 1-bit" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[0] == "bnn, 1-bit"
    assert cells[4:] == ["0", "0", "1024"]
