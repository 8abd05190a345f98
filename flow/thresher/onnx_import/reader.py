"""Reading ONNX files that nobody vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from thresher.errors import UsageError
from thresher.onnx_import.problems import printable

_AGAIN = "export the model again"
_INSIDE = "save the model with its weights inside"


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """An ONNX model in memory with all of its weights; `name` is its file's, for messages and reports.

    `sha256` is that of the file's bytes, followed by those of its external data where it has any.
    """

    name: str
    proto: onnx.ModelProto
    sha256: str

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return next(int(o.version) for o in self.proto.opset_import if o.domain in {"", "ai.onnx"})


def read_model(path: Path | str) -> OnnxModel:
    """Read an ONNX file, and external weights from inside its folder only.

    Raises:
        UsageError: The file is absent, unreadable, empty, truncated or not ONNX, or it names
            external data that is absent or outside the folder of the model.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _problem(path.name, f"no such file ('{path}')", "give the path of an ONNX model") from None
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise _problem(path.name, reason, "give the path of an ONNX model") from None
    return parse_model(data, path.name, path.parent)


def parse_model(data: bytes, name: str, folder: Path | None = None) -> OnnxModel:
    """Parse the bytes of an ONNX file; external data is looked for in `folder`, if there is one.

    Raises:
        UsageError: As `read_model`.
    """
    if not data:
        raise _problem(name, "the file is empty", _AGAIN)
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError:
        reason = "the file is not an ONNX model, or it is truncated"
        raise _problem(name, reason, _AGAIN) from None
    if not proto.graph.node or not any(o.domain in {"", "ai.onnx"} for o in proto.opset_import):
        reason = "the file is not an ONNX model (no operators, or no opset)"
        raise _problem(name, reason, _AGAIN)
    digest = hashlib.sha256(data)
    for part in _load_external_data(proto, name, folder):
        digest.update(part)
    return OnnxModel(name, proto, digest.hexdigest())


def _problem(name: str, reason: str, remedy: str) -> UsageError:
    return UsageError(f"import: model '{printable(name)}': {printable(reason)}; {remedy}")


def _load_external_data(proto: onnx.ModelProto, name: str, folder: Path | None) -> Iterator[bytes]:
    """Move external data into the model, which is ours alone until it is returned; yields each piece."""
    for tensor in onnx.external_data_helper._get_all_tensors(proto):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        tensor.raw_data = _read_external(entries, name, folder)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
        yield tensor.raw_data


def _read_external(entries: dict[str, str], name: str, folder: Path | None) -> bytes:
    location = entries.get("location", "")
    where = f"external data '{location}'"
    if folder is None:
        raise _problem(name, f"{where} has no folder to be read from", _INSIDE)
    root = folder.resolve()
    path = (root / location).resolve()
    if not path.is_relative_to(root):
        raise _problem(name, f"{where} lies outside the model's folder", _INSIDE)
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", "-1"))
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
    except ValueError:
        raise _problem(name, f"{where} has an offset or length that is no number", _AGAIN) from None
    except OSError as error:
        reason = f"{where} cannot be read ({error.strerror})"
        raise _problem(name, reason, f"put it beside the model, or {_INSIDE}") from None
    if length > len(data):
        raise _problem(name, f"{where} is shorter than the model says", _AGAIN)
    return data
