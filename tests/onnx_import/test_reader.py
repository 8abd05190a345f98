"""Files that are no models are refused in one line that names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.external_data_helper import convert_model_to_external_data

from tests.models import ModelBuilder
from thresher.errors import UsageError
from thresher.onnx_import import parse_model, read_model


def small_model() -> onnx.ModelProto:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.bipolar("x"), build.weights(np.eye(4)), name="fc")
    return build.proto(x)


def message(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_model(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_reads_a_model_and_hashes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(small_model().SerializeToString())

    model = read_model(path)

    assert (model.name, model.opset) == ("m.onnx", 13)
    assert len(model.sha256) == 64


def test_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.onnx"

    assert message(path) == (
        f"import: model 'absent.onnx': no such file ('{path}'); give the path of an ONNX model"
    )


def test_a_folder(tmp_path: Path) -> None:
    assert message(tmp_path) == (
        f"import: model '{tmp_path.name}': cannot be read (it is a folder); give the path of an ONNX model"
    )


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.touch()

    assert message(path) == "import: model 'm.onnx': the file is empty; export the model again"


@pytest.mark.parametrize(
    "content", [b"not a model at all", b"\x80\x02}q\x00.", b"\x89PNG\r\n\x1a\n\x00\x00\x00"]
)
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)

    assert message(path).startswith("import: model 'm.onnx': the file is not an ONNX model")


def test_truncated_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    whole = small_model().SerializeToString()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])

        assert message(path).startswith("import: model 'm.onnx': the file is ")


def test_a_name_with_a_line_break_stays_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.onnx"
    path.touch()

    assert message(path) == r"import: model 'a\nb.onnx': the file is empty; export the model again"


def write_external(folder: Path, location: str) -> Path:
    proto = small_model()
    convert_model_to_external_data(proto, location="weights.bin", size_threshold=0)
    folder.mkdir()
    path = folder / "m.onnx"
    onnx.save(proto, path)
    loaded = onnx.load(path, load_external_data=False)
    for tensor in loaded.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(loaded.SerializeToString())
    return path


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    path = write_external(tmp_path / "model", "weights.bin")

    model = read_model(path)

    expected = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in small_model().graph.initializer}
    for tensor in model.proto.graph.initializer:
        np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor), expected[tensor.name])


def test_other_external_data_is_another_model(tmp_path: Path) -> None:
    path = write_external(tmp_path / "model", "weights.bin")
    before = read_model(path).sha256
    weights = path.parent / "weights.bin"
    weights.write_bytes(bytes(byte ^ 1 for byte in weights.read_bytes()))

    assert read_model(path).sha256 != before


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "a/../../weights.bin"])
def test_external_data_outside_the_folder(tmp_path: Path, location: str) -> None:
    path = write_external(tmp_path / "model", location)
    (path.parent / "weights.bin").rename(tmp_path / "weights.bin")

    assert message(path) == (
        f"import: model 'm.onnx': external data '{location}' lies outside the model's folder; "
        "save the model with its weights inside"
    )


def test_external_data_behind_a_link(tmp_path: Path) -> None:
    path = write_external(tmp_path / "model", "weights.bin")
    (path.parent / "weights.bin").rename(tmp_path / "weights.bin")
    (path.parent / "weights.bin").symlink_to(tmp_path / "weights.bin")

    assert "lies outside the model's folder" in message(path)


def test_external_data_missing_or_short(tmp_path: Path) -> None:
    path = write_external(tmp_path / "model", "weights.bin")
    weights = path.parent / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:3])

    assert message(path) == (
        "import: model 'm.onnx': external data 'weights.bin' is shorter than the model says; "
        "export the model again"
    )
    weights.unlink()
    assert message(path) == (
        "import: model 'm.onnx': external data 'weights.bin' cannot be read (No such file or directory); "
        "put it beside the model, or save the model with its weights inside"
    )


def test_external_data_without_a_folder(tmp_path: Path) -> None:
    path = write_external(tmp_path / "model", "weights.bin")

    with pytest.raises(UsageError, match="has no folder to be read from; save the model with its weights"):
        parse_model(path.read_bytes(), "m.onnx")
