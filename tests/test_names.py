"""Names that a model may have: whatever they hold, they reach no C++, SystemVerilog or shell."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.models import run_qonnx
from tests.small_models import small_model
from thresher.cli import main

HOSTILE = (
    'a "quoted" name',
    "it's another",
    "two\nlines",
    "*/ int main() { return 1; } /*",
    "// to the end of the line \\",
    '`include "/etc/passwd"',
    "endmodule",
    "$(touch owned) `touch owned` ${HOME}",
    "%s%n{}[/bold]",
    "../../etc/passwd",
    "日本語 \N{PILE OF POO} \u202e",
    "a" * 100_000,
    " ",
)


def _renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with a hostile name for each node and each tensor, ends included."""
    fresh = (f"{name}{turn or ''}" for turn in itertools.count() for name in HOSTILE)
    names: dict[str, str] = {}
    for node in model.graph.node:
        node.name = next(fresh)
        for ends in (node.input, node.output):
            for place, name in enumerate(ends):
                if name not in names:
                    names[name] = next(fresh)
                ends[place] = names[name]
    for each in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        each.name = names[each.name]
    return model


def test_hostile_names_go_through_build_and_both_simulations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(_renamed(small_model()), "names.onnx")
    frames = np.random.default_rng(3).uniform(-1, 5, (4, 12)).astype(np.float32)
    np.save("frames.npy", frames)

    assert main(["check", "names.onnx"]) == 0
    assert main(["build", "names.onnx", "-o", "project"]) == 0
    for command in ("csim", "sim"):
        assert main([command, "project", "--inputs", "frames.npy"]) == 0
    assert capsys.readouterr().err == ""

    expected = run_qonnx(small_model(), frames)["y"]
    assert np.array_equal(thresher.load("project").predict(frames), expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frames.npy", "names.onnx", "project"]
