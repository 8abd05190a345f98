"""Inputs that do not fit the first quantiser are warned of, and those that do are not.

Right and wrong are known from how the data were made: data for a quantiser's range, and the same times 255.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import thresher
from tests.models import Array, ModelBuilder, mnist, run_qonnx
from tests.verification.helpers import prepared
from thresher.building import BuildOptions, make_design, parse_input_type
from thresher.cli import main
from thresher.errors import UsageError
from thresher.float_layers import host_of
from thresher.host import Host
from thresher.inputs import describe_inputs, describe_type
from thresher.onnx_import import read_model

SIDE = 6
COUNT = 40
QUANTISERS = ("sign", "unsigned 1", "narrow 2", "signed 2", "unsigned 4", "unsigned 8", "signed 8", "by hand")


def network(quantiser: str | None, centred: bool = False) -> onnx.ModelProto:
    """A layer of binary weights and a quantiser of 4 bits, behind a quantiser whose range is that of 0..1.

    Or with `centred` of -1..1, in front of which the model takes 2 x - 1. None: no quantiser of the input.
    """
    build = ModelBuilder((1, SIDE, SIDE))
    x = build.node("Sub", build.node("Mul", "x", np.float32(2)), np.float32(1)) if centred else "x"
    x = x if quantiser is None else _quantise(build, x, quantiser)
    x = build.node("Reshape", x, np.asarray([1, SIDE * SIDE]))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (SIDE * SIDE, 24))
    x = build.node("MatMul", x, build.bipolar(build.constant(signs.astype(np.float32))))
    x = build.quant(x, 0.5, bits=4)
    return build.proto(build.node("MatMul", x, build.weights(np.ones((24, 3)))))


def _quantise(build: ModelBuilder, x: str, quantiser: str) -> str:
    if quantiser == "sign":
        return build.bipolar(build.node("Sub", x, np.float32(0.5)))
    if quantiser == "by hand":
        limited = build.node("Clip", x, np.float32(0), np.float32(1))
        rounded = build.node("Round", build.node("Mul", limited, np.float32(15)))
        return build.node("Div", rounded, np.float32(15))
    kind, bits = quantiser.split()
    signed = kind != "unsigned"
    steps = max(1, 2 ** (int(bits) - signed) - 1)
    return build.quant(x, np.float32(1 / steps), bits=int(bits), signed=signed, narrow=kind == "narrow")


def images(kind: str) -> Array:
    """Images of 0..1, most of them of 8 bits."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (COUNT, SIDE, SIDE)) / 255
    drawn = random.random((COUNT, SIDE, SIDE)) < 0.2
    made = {
        "even": pixels,
        "mostly black": pixels * drawn,
        "mostly white": 1 - pixels * drawn,
        "two values": np.rint(pixels),
        "dim": pixels / 2,
        "sparse": pixels * (random.random((COUNT, SIDE, SIDE)) < 0.02),
        "bell": np.clip(random.normal(0.4, 0.4, (COUNT, SIDE, SIDE)), -1, 2),
        "one frame": pixels[:1],
        "black": pixels * 0,
    }
    return made[kind].astype(np.float32)


def host(proto: onnx.ModelProto, **options: Any) -> Host:
    return host_of(prepared(proto, **options).design)


@pytest.mark.parametrize("quantiser", QUANTISERS)
def test_data_of_the_range_are_not_warned_of_and_255_times_as_much_are(quantiser: str) -> None:
    taken = host(network(quantiser))
    kinds = ("even", "mostly black", "mostly white", "two values", "sparse", "bell", "one frame", "black")
    assert {kind: describe_inputs(taken, images(kind), "inputs") for kind in kinds} == dict.fromkeys(kinds)
    for kind in ("even", "mostly black"):
        said = describe_inputs(taken, np.rint(images(kind) * 255), "inputs")
        assert said is not None and said.endswith("; divide them by 255"), kind


@pytest.mark.parametrize("quantiser", ["signed 8", "signed 2", "narrow 2"])
def test_so_it_is_where_the_model_centres_its_input(quantiser: str) -> None:
    taken = host(network(quantiser, centred=True))
    for kind in ("even", "mostly black", "mostly white", "two values", "dim", "sparse", "one frame"):
        assert describe_inputs(taken, images(kind), "inputs") is None, kind
    assert describe_inputs(taken, np.rint(images("mostly black") * 255), "inputs") is not None


@pytest.mark.parametrize("quantiser", ["narrow 2", "signed 2", "unsigned 4"])
def test_a_quantiser_that_cuts_much_off_is_not_warned_of(quantiser: str) -> None:
    assert describe_inputs(host(network(quantiser)), 3 * images("mostly black"), "inputs") is None


def test_a_dark_image_is_not_warned_of_and_one_that_is_not_scaled_is() -> None:
    dark, one = images("dim") * np.float32(0.9), np.rint(images("even")[:2] * 255)
    taken = host(network("sign"))
    assert describe_inputs(taken, dark[:3], "inputs") is None
    assert describe_inputs(taken, one, "inputs") is not None
    kind = parse_input_type("uint8")
    right = host(network("sign"), input_type=kind, input_scale=1 / 255)
    wrong = host(network("sign"), input_type=kind)
    assert describe_inputs(right, np.rint(dark * 255).astype(np.uint8), "inputs") is None
    assert describe_inputs(wrong, one.astype(np.uint8), "inputs") is not None


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float16", "float64"])
def test_frames_of_any_type_are_looked_at(dtype: str) -> None:
    pixels = (images("even") * 1.99).astype(dtype)
    assert describe_inputs(host(network("unsigned 8")), pixels, "inputs") is None
    assert describe_inputs(host(network("unsigned 8")), pixels * 0 + np.ones((), dtype), "inputs") is None


def test_a_single_bright_or_dark_image_is_not_warned_of() -> None:
    """Whatever its unit: a model of 0..255 is given bytes, as floats."""
    build = ModelBuilder((1, SIDE, SIDE))
    x = build.bipolar(build.node("Sub", "x", np.float32(127.5)))
    x = build.node("Reshape", x, np.asarray([1, SIDE * SIDE]))
    x = build.quant(build.node("MatMul", x, build.weights(np.ones((SIDE * SIDE, 3)))), bits=4)
    taken = host(build.proto(build.node("MatMul", x, build.weights(np.ones((3, 3))))))
    dark = np.rint(images("even")[:2] * 100)
    assert describe_inputs(taken, dark, "inputs") is None
    assert describe_inputs(taken, 255 - dark, "inputs") is None
    assert describe_inputs(taken, images("even"), "inputs") is not None


def test_few_levels_of_a_large_scale_are_told() -> None:
    build = ModelBuilder((1, SIDE, SIDE))
    x = build.quant("x", np.float32(85), bits=2, signed=False)
    x = build.node("Reshape", x, np.asarray([1, SIDE * SIDE]))
    x = build.quant(build.node("MatMul", x, build.weights(np.ones((SIDE * SIDE, 3)))), bits=4)
    taken = host(build.proto(build.node("MatMul", x, build.weights(np.ones((3, 3))))))
    assert describe_inputs(taken, np.rint(images("even") * 255), "inputs") is None
    assert describe_inputs(taken, images("even"), "inputs") == (
        "inputs: the values go from 0 to 1, and 100.0 % of them, the commonest left out, fall on one of the "
        "4 levels of the model's first quantiser; multiply them by 255"
    )


def test_a_few_values_tell_that_they_are_far_beyond() -> None:
    said = describe_inputs(host(network("unsigned 8")), np.rint(images("even")[:1] * 255), "inputs")
    assert said is not None and said.endswith("; divide them by 255")


def test_few_frames_are_told_where_levels_are_many() -> None:
    said = describe_inputs(host(network("unsigned 8")), images("even")[:3] / 255, "inputs")
    assert said is not None
    assert said.endswith("; give them as in training"), "they are too small for pixels of 0 to 1"


def test_values_that_a_batch_normalisation_never_met_are_told() -> None:
    build, random = ModelBuilder((1, 1, SIDE, SIDE)), np.random.default_rng(0)
    x = build.node("Conv", "x", random.normal(size=(4, 1, 3, 3)).astype(np.float32), name="floats")
    frames = images("mostly black")[:, None]
    met = run_qonnx(build.proto(x), frames)[x]
    mean, variance = met.mean(axis=(0, 2, 3)), met.var(axis=(0, 2, 3))
    x = build.bipolar(build.batch_norm(x, [1, -1, 1, -1], [0, 0, 1, 1], mean, variance, name="norm"))
    x = build.node("Conv", x, build.quant(build.constant(np.ones((3, 4, 4, 4), np.float32))))
    taken = host(build.proto(x))
    assert describe_inputs(taken, frames, "inputs") is None
    assert describe_inputs(taken, frames[:1], "inputs") is None
    off = (255 * met - mean[:, None, None]) / np.sqrt(variance)[:, None, None]
    times = np.median(np.sqrt(np.square(off).mean(axis=(0, 2, 3))))
    assert describe_inputs(taken, np.rint(frames * 255), "inputs") == (
        "inputs: the values go from 0 to 255, and the model's first batch normalisation gets values "
        f"{times:.0f} times as far from its means as in training; divide them by 255"
    )


def test_what_lies_far_beyond_is_told_with_ranges_and_remedy() -> None:
    frames = np.rint(images("even") * 255)
    share = 100 * ((frames > 1 + 0.5 / 255).mean())
    assert describe_inputs(host(network("unsigned 8")), frames, "inputs") == (
        f"inputs: the values go from 0 to 255, and {share:.1f} % of them saturate at the model's first "
        "quantiser, which takes 0 to 1 and gets 0 to 255; divide them by 255"
    )


def test_other_factors_are_told_as_well() -> None:
    taken = host(network("unsigned 4"))
    said = describe_inputs(taken, images("even") * np.float32(83.5), "samples")
    assert said is not None
    assert said.startswith("samples: the values go from 0 to 83.5, and ")
    assert said.endswith("gets 0 to 83.5; give them as in training; divided by 83.5 they fit")


def test_a_sign_that_gives_one_level_is_told() -> None:
    assert describe_inputs(host(network("sign")), np.rint(images("mostly black") * 255), "inputs") == (
        "inputs: the values go from 0 to 255, and 100.0 % of them, the commonest left out, fall on one of "
        "the two levels of the model's first quantiser; divide them by 255"
    )


def test_inputs_of_0_to_1_for_a_model_of_0_to_255_are_told() -> None:
    build = ModelBuilder((1, SIDE, SIDE))
    x = build.node("Reshape", build.quant("x", bits=8, signed=False), np.asarray([1, SIDE * SIDE]))
    x = build.quant(build.node("MatMul", x, build.weights(np.ones((SIDE * SIDE, 3)))), bits=4)
    taken = host(build.proto(build.node("MatMul", x, build.weights(np.ones((3, 3))))))
    assert describe_inputs(taken, np.rint(images("even") * 255), "inputs") is None
    assert describe_inputs(taken, images("two values"), "inputs") is None
    assert describe_inputs(taken, images("even"), "inputs") == (
        "inputs: the values go from 0 to 1, and 100.0 % of them, the commonest left out, fall on two of the "
        "256 levels of the model's first quantiser; multiply them by 255"
    )


@pytest.mark.parametrize("quantiser", [each for each in QUANTISERS if each != "unsigned 1"])
def test_an_input_type_without_its_scale_is_told_by_the_build(quantiser: str) -> None:
    kind = parse_input_type("uint8")
    said = describe_type(host(network(quantiser), input_type=kind))
    assert said is not None
    assert said.startswith("input type: uint8 without an input scale goes from 0 to 255, and ")
    assert said.endswith("; build with --input-scale 1/255 if the model was trained on 0 to 1")
    assert describe_type(host(network(quantiser), input_type=kind, input_scale=1 / 255)) is None


def test_pixels_of_4_bits_may_come_in_bytes() -> None:
    build = ModelBuilder((1, SIDE, SIDE))
    x = build.node("Reshape", build.quant("x", bits=4, signed=False), np.asarray([1, SIDE * SIDE]))
    x = build.quant(build.node("MatMul", x, build.weights(np.ones((SIDE * SIDE, 3)))), bits=4)
    proto = build.proto(build.node("MatMul", x, build.weights(np.ones((3, 3)))))
    taken = host(proto, input_type=parse_input_type("uint8"))
    assert describe_type(taken) is None
    assert describe_inputs(taken, np.rint(images("even") * 16).astype(np.uint8), "inputs") is None


def test_so_it_is_where_the_layer_takes_the_input_itself() -> None:
    pixels = np.rint(images("even") * 255).astype(np.uint8)
    wrong = host(network(None), input_type=parse_input_type("uint8"))
    right = host(network(None), input_type=parse_input_type("uint8"), input_scale=1 / 255)
    said = describe_inputs(wrong, pixels, "inputs")
    assert said is not None and " of what reaches the model's first quantiser saturates there; " in said
    assert describe_type(wrong) is None
    for kind in ("even", "mostly black", "mostly white", "two values", "dim"):
        assert describe_inputs(right, np.rint(images(kind) * 255).astype(np.uint8), "inputs") is None, kind
    assert describe_type(right) is None


def test_another_scale_that_is_wrong_is_told_on_inputs() -> None:
    taken = host(network("unsigned 8"), input_type=parse_input_type("uint8"), input_scale=16.0)
    said = describe_inputs(taken, np.rint(images("even") * 255).astype(np.uint8), "inputs")
    assert said is not None
    assert said.endswith(
        "which takes 0 to 1; build with the --input-scale that the model was trained for, which is hardly 16"
    )


@pytest.mark.parametrize("kind", ["bipolar", "uint1", "uint2", "int3"])
def test_types_of_few_integers_are_never_told(kind: str) -> None:
    assert describe_type(host(network("unsigned 4"), input_type=parse_input_type(kind))) is None


@pytest.mark.parametrize("name", ["TFC_1W1A", "TFC_2W2A"])
def test_mnist_is_told_only_where_it_was_not_scaled(
    name: str, shared_models: Path, shared_data: Path
) -> None:
    pixels = mnist(shared_data)[0][:200]
    model = read_model(shared_models / f"{name}.onnx")
    taken = host_of(make_design(model, BuildOptions()))
    assert describe_inputs(taken, (pixels / 255).astype(np.float32), "inputs") is None
    said = describe_inputs(taken, pixels.astype(np.float32), "inputs")
    assert said is not None and said.endswith("; divide them by 255")
    for scale, told in ((1 / 255, False), (1.0, True)):
        options = BuildOptions(input_type=parse_input_type("uint8"), input_scale=scale)
        taken = host_of(make_design(model, options))
        assert (describe_inputs(taken, pixels, "inputs") is not None) == told


LINE = (
    "thresher: warning: {}: the values go from 0 to 255, and {} % of them saturate at the model's first "
    "quantiser, which takes 0 to 1 and gets 0 to 255; divide them by 255"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, its project, right and wrong images, and labels."""
    folder = tmp_path_factory.mktemp("inputs")
    onnx.save(network("unsigned 8"), folder / "m.onnx")
    np.save(folder / "right.npy", images("even"))
    np.save(folder / "wrong.npy", np.rint(images("even") * 255))
    np.save(folder / "y.npy", np.arange(COUNT) % 3)
    thresher.build(folder / "m.onnx", folder / "project", verify=False)
    return folder


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "command",
    [
        ["csim", "project", "--inputs"],
        ["sim", "project", "--inputs"],
        ["evaluate", "project", "--csim", "3", "--no-plot", "--inputs"],
        ["build", "m.onnx", "-o", "built", "--no-verify", "--samples"],
    ],
    ids=lambda command: command[0],
)
def test_each_command_says_it_in_one_line(
    command: list[str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    if command[0] == "sim":
        monkeypatch.setattr("thresher.api.run_rtl", _no_run)
    share = f"{100 * (np.load('wrong.npy') > 1 + 0.5 / 255).mean():.1f}"
    what = "samples" if command[0] == "build" else "inputs"
    main([*command, "wrong.npy"])
    assert [line for line in lines(capsys) if "warning" in line] == [LINE.format(what, share)]
    main([*command, "right.npy"])
    assert [line for line in lines(capsys) if "warning" in line] == []


def _no_run(*_: object) -> None:
    raise UsageError("sim: not run")


def test_what_a_build_was_warned_of_is_in_its_report(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    model = str(project / "m.onnx")
    built = tmp_path / "built"
    assert main(["build", model, "-o", str(built), "--no-verify", "--input-type", "uint8"]) == 0
    captured = capsys.readouterr()
    said = (
        "input type: uint8 without an input scale goes from 0 to 255, and 99.2 % of them saturate at the "
        "model's first quantiser, which takes 0 to 1; build with --input-scale 1/255 if the model was "
        "trained on 0 to 1"
    )
    assert captured.err == f"thresher: warning: {said}\n"
    assert "warning" not in captured.out
    assert json.loads((built / "reports" / "report.json").read_text())["warnings"] == [said]
    assert main(["report", str(built)]) == 0
    assert f"warning: {said}" in capsys.readouterr().out.splitlines()


def test_from_python_it_is_a_warning_at_the_line_that_called(project: Path) -> None:
    accelerator = thresher.load(project / "project")
    for call in (accelerator.predict, accelerator.trace):
        with pytest.warns(thresher.InputWarning, match="^inputs: the values go from 0 to 255, and ") as told:
            call(np.load(project / "wrong.npy"))
        assert [each.filename for each in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", thresher.ThresherWarning)
        accelerator.predict(np.load(project / "wrong.npy"))


CLASSES = "and the model has 3 classes, 0 to 2; give the index of the class of each frame"


@pytest.mark.parametrize("option", [[], ["--argmax"]])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 99], f"they go from 0 to 99, {CLASSES}"),
        ([2, 1, -1], f"they go from -1 to 2, {CLASSES}"),
        ([2, 1, 3], f"they go from 1 to 3, {CLASSES}"),
        ([2.0, 1.0, 0.0], "the array has shape [3] and dtype float64; give one whole number per frame, [3]"),
        ([True, False, True], "the array has shape [3] and dtype bool; give one whole number per frame, [3]"),
        ([0, 1, 2, 0], "the array has shape [4] and dtype int64; give one whole number per frame, [3]"),
        ([0, 1], "the array has shape [2] and dtype int64; give one whole number per frame, [3]"),
    ],
)
def test_labels_that_are_no_classes_are_refused(
    labels: list[float], message: str, option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx.save(network("unsigned 8"), tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", images("even")[:3])
    np.save(tmp_path / "y.npy", np.asarray(labels))
    files = ["--samples", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]
    assert main(["build", str(tmp_path / "m.onnx"), "-o", str(tmp_path / "out"), *files, *option]) == 2
    assert capsys.readouterr().err == f"thresher: error: labels: {message}\n"


def test_the_other_commands_refuse_them_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(project / "y99.npy", np.full(COUNT, 99))
    for command in ("csim", "sim", "evaluate"):
        files = ["--inputs", str(project / "right.npy"), "--labels", str(project / "y99.npy")]
        assert main([command, str(project / "project"), *files]) == 2
        assert capsys.readouterr().err == (
            "thresher: error: labels: they go from 99 to 99, and the model has 3 classes, 0 to 2; give the "
            "index of the class of each frame\n"
        )


@pytest.mark.parametrize("classes", [3, 7])
def test_classes_of_an_argmax_on_the_host_are_known(classes: int) -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), build.weights(np.ones((4, 5))))
    x = build.node("MatMul", x, np.ones((5, classes), np.float32))
    x = build.node("ArgMax", x, axis=1, keepdims=0)
    assert host(build.proto(x, output_type=onnx.TensorProto.INT64)).classes == classes


def test_labels_of_the_frames_that_count_are_enough(project: Path) -> None:
    accelerator = thresher.load(project / "project")
    labels = np.load(project / "y.npy")
    for given in (labels, labels[:4]):
        accelerator.csim(np.load(project / "right.npy"), given, count=4)
        assert accelerator.report()["accuracy"]["images"] == 4
