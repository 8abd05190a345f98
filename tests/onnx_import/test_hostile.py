"""Models that nobody meant: each is refused in one line, before anything large is evaluated."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import thresher
from tests.small_models import QONNX, small_model
from thresher.errors import ThresherError
from thresher.onnx_import import import_model, read_model
from thresher.onnx_import.constants import shrunk

Change = Callable[[onnx.ModelProto], None]


def refusal(folder: Path, change: Change) -> str:
    """What is said of the small model with a change."""
    model = small_model()
    change(model)
    path = folder / "bad.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ThresherError) as caught:
        import_model(read_model(path))
    return str(caught.value)


def tensor(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    found: onnx.TensorProto = next(each for each in model.graph.initializer if each.name == name)
    return found


def give(name: str, value: object, kind: type[np.generic] = np.float32) -> Change:
    return lambda model: tensor(model, name).CopyFrom(numpy_helper.from_array(np.asarray(value, kind), name))


def insert(op: str, inputs: list[str], shape: list[int], used: bool = True) -> Change:
    """A constant expression by `shape`, whose first element is added to the bias where it is `used`."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(shape, np.int64), "shape"))
        model.graph.node.insert(0, helper.make_node(op, inputs, ["made"], "maker"))
        if used:
            model.graph.node.insert(
                1, helper.make_node("ReduceMax", ["made"], ["least"], "least", keepdims=0)
            )
            model.graph.node.insert(2, helper.make_node("Add", ["bias", "least"], ["moved"], "mover"))
            model.graph.node[-1].input[1] = "moved"

    return change


def attribute(node: int, **values: object) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[node].attribute.extend(helper.make_attribute(*each) for each in values.items())

    return change


def _quant(**values: object) -> Change:
    def change(model: onnx.ModelProto) -> None:
        del model.graph.node[0].attribute[:]
        attribute(0, **values)(model)

    return change


def _drop(ends: str, node: int) -> Change:
    return lambda model: model.graph.node[node].ClearField(ends)


def _lose(model: onnx.ModelProto) -> None:
    model.graph.initializer.remove(tensor(model, "w0"))


def _kind(model: onnx.ModelProto) -> None:
    tensor(model, "gamma").data_type = 99


def _texts(model: onnx.ModelProto) -> None:
    tensor(model, "bias").CopyFrom(numpy_helper.from_array(np.array(["1"] * 5, object), "bias"))


def _sizes(model: onnx.ModelProto) -> None:
    tensor(model, "gamma").dims[:] = [1 << 40]


def _below(model: onnx.ModelProto) -> None:
    tensor(model, "gamma").dims[:] = [-1]


def _input(size: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = size

    return change


def random(op: str, inputs: list[str], **attributes: Any) -> Change:
    """An operator whose output is added to the bias."""

    def change(model: onnx.ModelProto) -> None:
        for name, value in (("half", np.float32(0.5)), ("truth", np.bool_(True))):
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        model.graph.node.insert(0, helper.make_node(op, inputs, ["drawn"], "chance", **attributes))
        model.graph.node.insert(1, helper.make_node("ReduceMax", ["drawn"], ["most"], "most", keepdims=0))
        model.graph.node.insert(2, helper.make_node("Add", ["bias", "most"], ["moved"], "mover"))
        model.graph.node[-1].input[1] = "moved"

    return change


def _branch(model: onnx.ModelProto) -> None:
    end = helper.make_tensor_value_info("end", TensorProto.FLOAT, [5])
    drawn = helper.make_graph([helper.make_node("Bernoulli", ["bias"], ["end"])], "drawn", [], [end])
    kept = helper.make_graph([helper.make_node("Identity", ["bias"], ["end"])], "kept", [], [end])
    random("If", ["truth"], then_branch=drawn, else_branch=kept)(model)


def _many(model: onnx.ModelProto) -> None:
    kept = [*model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(helper.make_node("Neg", [f"n{i}"], [f"n{i + 1}"]) for i in range(100_000))
    model.graph.node.extend(kept)


_CASES: dict[str, tuple[Change, str]] = {
    "a batch norm of another length": (
        give("mean", np.ones(4)),
        "import: node 'layer_norm': its constants do not fit an input of shape [1, 9]; mend the export",
    ),
    "a scale that fits no shape": (
        give("step", np.ones((7, 3))),
        "import: node 'layer_quant': its constants do not fit an input of shape [1, 12]; mend the export",
    ),
    "a scale that enlarges its input": (
        give("step", np.ones((3, 1))),
        "import: node 'layer_quant': its constants do not fit an input of shape [1, 12]; mend the export",
    ),
    "a scale of weights that fits no shape": (
        lambda model: model.graph.node[5].input.__setitem__(1, "var"),
        "import: node 'layer_w1': its scale or zero point does not fit the shape [9, 5] of what it "
        "quantises; export the model again",
    ),
    "no weights": (
        _lose,
        "import: node 'layer_w0': it reads 'w0' before it is written, so the file is not valid ONNX; "
        "export the model again",
    ),
    "a node without outputs": (
        _drop("output", 3),
        "import: node 'layer_act': it reads 'n0' before it is written, so the file is not valid ONNX; "
        "export the model again",
    ),
    "a node without inputs": (
        _drop("input", 7),
        "import: node 'layer_scale': it is no valid Mul (Node(layer_scale) with schema(::Mul:13) has input "
        "size 0 not in range [min=2, max=2].); export the model again",
    ),
    "a quantiser without inputs": (
        _drop("input", 0),
        "import: node 'layer_quant': it is no valid Quant: it has 0 inputs and 1 outputs, where 4 and 1 are "
        "needed; export the model again",
    ),
    "an attribute of another type": (
        attribute(3, epsilon="small"),
        "import: node 'layer_norm': it is no valid BatchNormalization (Mismatched attribute type in "
        "'layer_norm : epsilon'. Expected: 'FLOAT', actual: 'STRING'); export the model again",
    ),
    "an attribute of a quantiser of another type": (
        _quant(signed="no", narrow=0),
        "import: node 'layer_quant': it is no valid Quant: its attribute signed is not a whole number; "
        "export the model again",
    ),
    "an unknown type": (
        _kind,
        "import: model 'bad.onnx': initialiser 'gamma' does not hold what its shape and its type say; "
        "export the model again",
    ),
    "texts": (
        _texts,
        "import: node 'layer_bias': its input 'bias' holds texts, where real numbers are needed; "
        "export the model again",
    ),
    "a tensor of 2^40": (
        _sizes,
        "import: model 'bad.onnx': initialiser 'gamma' does not hold what its shape and its type say; "
        "export the model again",
    ),
    "a size below zero": (
        _below,
        "import: model 'bad.onnx': initialiser 'gamma' does not hold what its shape and its type say; "
        "export the model again",
    ),
    "an input of 2^40": (
        _input(1 << 40),
        "import: model 'bad.onnx': input 'x', [1, 1099511627776], has more than 33554432 elements a frame; "
        "export the model for a smaller input",
    ),
    "a node that writes a tensor twice": (
        lambda model: model.graph.node[2].output.append("m0"),
        "import: node 'layer_matmul0': it writes 'm0' again, so the file is not valid ONNX; "
        "export the model again",
    ),
    "an input of no size": (
        _input(0),
        "import: model 'bad.onnx': input 'x', dimension 1: the size is 0; export the model with a fixed "
        "input shape",
    ),
    "an initialiser twice": (
        lambda model: model.graph.initializer.append(tensor(model, "w1")),
        "import: model 'bad.onnx': initialiser 'w1' is there more than once, so the file is not valid ONNX; "
        "export the model again",
    ),
    "a zero point of 1e18": (
        give("zero", 1e18),
        "import: node 'layer_quant': its zero point is 1e+18, where at most 2147483648 is supported; "
        "train the model again, or mend the export",
    ),
    "a constant of 2^31": (
        insert("ConstantOfShape", ["shape"], [1 << 31]),
        "import: node 'maker': with the constant that ConstantOfShape gives, constants of the model have "
        "more than 33556032 elements; fold it before the export, or build a smaller model",
    ),
    "an expanded constant": (
        insert("Expand", ["one", "shape"], [1 << 16, 1 << 16]),
        "import: node 'maker': with the constant that Expand gives, constants of the model have more than "
        "33556040 elements; fold it before the export, or build a smaller model",
    ),
    "a tiled constant": (
        insert("Tile", ["bias", "shape"], [1 << 40]),
        "import: node 'maker': with the constant that Tile gives, constants of the model have more than "
        "33556032 elements; fold it before the export, or build a smaller model",
    ),
    "a random constant": (
        random("RandomNormal", [], shape=[5]),
        "import: node 'chance': RandomNormal draws random numbers, so that the model has no one answer to be "
        "held to; call model.eval() before the export, or leave it out",
    ),
    "random numbers beside the input": (
        random("RandomUniformLike", ["x"]),
        "import: node 'chance': RandomUniformLike draws random numbers, so that the model has no one answer "
        "to be held to; call model.eval() before the export, or leave it out",
    ),
    "random numbers in a branch": (
        _branch,
        "import: node 'chance': Bernoulli draws random numbers, so that the model has no one answer to be "
        "held to; call model.eval() before the export, or leave it out",
    ),
    "a dropout in training": (
        random("Dropout", ["bias", "half", "truth"]),
        "import: node 'chance': Dropout in training mode draws random numbers, so that the model has no one "
        "answer to be held to; call model.eval() before the export, or leave it out",
    ),
    "100,000 nodes": (
        _many,
        "import: model 'bad.onnx': it has 100009 nodes, where at most 10000 are read; build a smaller model, "
        "or parts of it",
    ),
}


@pytest.mark.parametrize("what", _CASES)
def test_it_is_refused_in_one_line(what: str, tmp_path: Path) -> None:
    change, message = _CASES[what]
    assert refusal(tmp_path, change) == message


@pytest.mark.parametrize("op", ["ConstantOfShape", "Expand", "Tile"])
def test_a_constant_that_nothing_reads_is_not_evaluated(op: str, tmp_path: Path) -> None:
    model = small_model()
    insert(op, {"ConstantOfShape": ["shape"]}.get(op, ["bias", "shape"]), [1 << 31], used=False)(model)
    onnx.save(model, tmp_path / "unused.onnx")
    imported = import_model(read_model(tmp_path / "unused.onnx"))
    assert [(node.name, node.role) for node in imported.graph.onnx if node.op == op] == [("maker", "unused")]


def test_an_initialiser_that_nothing_reads_may_hold_anything(tmp_path: Path) -> None:
    model = small_model()
    model.graph.initializer.add(name="odd", data_type=99, dims=[1 << 40])
    onnx.save(model, tmp_path / "unused.onnx")
    assert import_model(read_model(tmp_path / "unused.onnx")).graph.outputs == ("y",)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    data = small_model(name="layer").SerializeToString().replace(b"layer_norm", b"layer\xff\xfe\xfd\xfc\xfb")
    (tmp_path / "bad.onnx").write_bytes(data)
    with pytest.raises(ThresherError) as caught:
        read_model(tmp_path / "bad.onnx")
    assert str(caught.value) == (
        "import: model 'bad.onnx': the file holds a name that is not text in UTF-8; export the model again"
    )


def _external(location: str, **entries: str) -> Change:
    def change(model: onnx.ModelProto) -> None:
        weights = tensor(model, "w0")
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **entries}.items():
            weights.external_data.add(key=key, value=value)

    return change


def test_external_data_that_never_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path, _external("pipe")) == (
        "import: model 'bad.onnx': external data 'pipe' cannot be read (it is no regular file); "
        "save the model with its weights inside"
    )


@pytest.mark.parametrize("length", ["-5", "1e3", "9" * 5000, "0x10"])
def test_external_data_of_no_length(length: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"12345678")
    assert refusal(tmp_path, _external("data", length=length)) == (
        "import: model 'bad.onnx': external data 'data' has an offset or length that is no number; "
        "export the model again"
    )


def test_external_data_beyond_what_is_read(tmp_path: Path) -> None:
    with (tmp_path / "data").open("wb") as file:
        file.truncate((1 << 30) + 1)
    assert refusal(tmp_path, _external("data")) == (
        "import: model 'bad.onnx': its external data is larger than the 1024 MiB that are read; "
        "build a smaller model, or parts of it"
    )


def test_names_that_thresher_makes_are_none_of_the_models(tmp_path: Path) -> None:
    """A Gemm becomes a product `gemm/Add` behind it, and the file has a node and a tensor of these names."""
    model = small_model()
    model.graph.node[6].CopyFrom(
        helper.make_node("Gemm", ["a0", "b1", "bias"], ["m1"], "gemm", alpha=0.5, beta=1.0)
    )
    model.graph.node[7].name, model.graph.node[8].name = "gemm/Mul", "gemm/Add"
    model.graph.node[7].output[0] = model.graph.node[8].input[0] = "m1/Mul"
    onnx.save(model, tmp_path / "names.onnx")
    assert import_model(read_model(tmp_path / "names.onnx")).graph.outputs == ("y",)


def test_huge_pads(tmp_path: Path) -> None:
    maps = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 8, 8])
    numbers = {"step": np.float32(0.25), "zero": np.float32(0), "bits": np.float32(4), "one": np.float32(1)}
    constants = {**numbers, "weights": np.ones((1, 2, 2, 2), np.float32)}
    far = 1 << 30
    nodes = [
        helper.make_node("Quant", ["x", "step", "zero", "bits"], ["q"], "quant", domain=QONNX),
        helper.make_node("BipolarQuant", ["weights", "one"], ["w"], "binary", domain=QONNX),
        helper.make_node("Conv", ["q", "w"], ["y"], "conv", strides=[far, far], pads=[far] * 4),
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "maps", [maps], [helper.make_empty_tensor_value_info("y")], tensors)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "pads.onnx")
    with pytest.raises(ThresherError) as caught:
        import_model(read_model(tmp_path / "pads.onnx"))
    assert str(caught.value) == (
        "import: node 'conv': it pads its input to [1, 2, 2147483650, 2147483650], which are more than "
        "33554432 elements a frame; export the model for a smaller input"
    )


def test_a_model_whose_own_floats_overflow(tmp_path: Path) -> None:
    """It is a fault of the model's, and no mismatch."""
    model = small_model()
    give("step", 3e38)(model)
    onnx.save(model, tmp_path / "huge.onnx")
    with pytest.raises(ThresherError) as caught:
        thresher.build(tmp_path / "huge.onnx", tmp_path / "project")
    said = re.fullmatch(
        r"verification: node 'layer_matmul0': its output 'm0' has (nan|-?inf) among its values in the model "
        r"itself, in ([\d,]+) of 1,152 elements, because float32 overflows there or before; train the model "
        r"again, or mend the export",
        str(caught.value),
    )
    assert said and caught.value.exit_code == 3 and not (tmp_path / "project").exists()


@pytest.mark.parametrize("read", ["bias", "s1"])
def test_a_branch_may_read_what_is_around_it(read: str, tmp_path: Path) -> None:
    """It is valid, so it is the host's where it is computed, and no constant, since it may never end."""
    model = small_model()
    end = helper.make_tensor_value_info("end", TensorProto.FLOAT, [5])
    kept = helper.make_graph([helper.make_node("Identity", [read], ["end"])], "kept", [], [end])
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(True), "truth"))
    choice = helper.make_node("If", ["truth"], ["moved"], "choice", then_branch=kept, else_branch=kept)
    model.graph.node.insert(len(model.graph.node) - 1, choice)
    model.graph.node[-1].input[1] = "moved"
    onnx.save(model, tmp_path / "branch.onnx")
    if read == "s1":
        assert import_model(read_model(tmp_path / "branch.onnx")).graph.outputs == ("y",)
        return
    with pytest.raises(ThresherError) as caught:
        import_model(read_model(tmp_path / "branch.onnx"))
    assert str(caught.value) == (
        "import: node 'choice': the constant expression If cannot be evaluated (how much its graphs compute "
        "is not known before); fold it before the export"
    )


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_a_constant_of_no_elements_stays_as_it_is(shape: tuple[int, ...]) -> None:
    assert shrunk(np.zeros(shape)).shape == shape


def test_a_constant_that_is_passed_through_beside_a_computed_ratio(tmp_path: Path) -> None:
    """The ratio of a Dropout that does nothing may be computed; what is dropped of is a constant still."""
    model = small_model()
    model.graph.node.insert(8, helper.make_node("Dropout", ["bias", "s1"], ["kept"], "dropout"))
    model.graph.node[-1].input[1] = "kept"
    onnx.save(model, tmp_path / "dropout.onnx")
    graph = import_model(read_model(tmp_path / "dropout.onnx")).graph
    assert [node.role for node in graph.onnx if node.name == "dropout"] == ["folded"]
