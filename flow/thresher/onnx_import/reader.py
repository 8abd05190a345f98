"""Reading ONNX files that nobody vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

from thresher.errors import UsageError, printable
from thresher_sim.files import MOST_DIGITS, UnreadableError, check_regular, read_bytes

MOST_BYTES = 1 << 30
"""Of a model, its external data included; CNV has 0.2 MiB of weights, ResNet-152 in float32 230 MiB."""
MOST_NODES = 10_000

_AGAIN = "export the model again"
_INSIDE = "save the model with its weights inside"
_SMALLER = "build a smaller model, or parts of it"


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
        UsageError: The file is absent, unreadable, empty, truncated or not ONNX, it is larger than
            `MOST_BYTES` or has more nodes than `MOST_NODES`, or it names external data that is absent or
            outside the folder of the model.
    """
    path = Path(path)
    try:
        data = read_bytes(path, MOST_BYTES)
    except FileNotFoundError:
        raise _problem(path.name, f"no such file ('{path}')", "give the path of an ONNX model") from None
    except UnreadableError as error:
        raise _problem(path.name, f"cannot be read ({error})", "give the path of an ONNX model") from None
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
    if not _is_text(proto):
        raise _problem(name, "the file holds a name that is not text in UTF-8", _AGAIN)
    count = len(proto.graph.node)
    if count > MOST_NODES:
        raise _problem(name, f"it has {count} nodes, where at most {MOST_NODES} are read", _SMALLER)
    digest = hashlib.sha256(data)
    for part in _load_external_data(proto, name, folder):
        digest.update(part)
    return OnnxModel(name, proto, digest.hexdigest())


def _problem(name: str, reason: str, remedy: str) -> UsageError:
    return UsageError(f"import: model '{printable(name)}': {printable(reason)}; {remedy}")


def _is_text(message: Message) -> bool:
    """Whether every string is one; protobuf gives those that are not UTF-8 as bytes."""
    for descriptor, value in message.ListFields():
        if descriptor.type == FieldDescriptor.TYPE_MESSAGE:
            if not all(map(_is_text, (value,) if isinstance(value, Message) else value)):
                return False
        elif descriptor.type == FieldDescriptor.TYPE_STRING:
            parts = (value,) if isinstance(value, str | bytes) else value
            if any(isinstance(part, bytes) for part in parts):
                return False
    return True


def _load_external_data(proto: onnx.ModelProto, name: str, folder: Path | None) -> Iterator[bytes]:
    """Move external data into the model, which is ours alone until it is returned; yields each piece."""
    room = MOST_BYTES
    for tensor in onnx.external_data_helper._get_all_tensors(proto):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        tensor.raw_data = _read_external(entries, name, folder, room)
        room -= len(tensor.raw_data)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
        yield tensor.raw_data


def _read_external(entries: dict[str, str], name: str, folder: Path | None, room: int) -> bytes:
    """The bytes of one tensor, which may be `room` at most."""
    location = entries.get("location", "")
    where = f"external data '{location}'"
    if folder is None:
        raise _problem(name, f"{where} has no folder to be read from", _INSIDE)
    path = _inside(folder, location)
    if path is None:
        raise _problem(name, f"{where} lies outside the model's folder", _INSIDE)
    try:
        check_regular(path)
        offset, length = _number(entries, "offset"), _number(entries, "length")
        with path.open("rb") as file:
            file.seek(offset or 0)
            data = file.read(room + 1 if length is None else min(length, room + 1))
    except UnreadableError as error:
        raise _problem(name, f"{where} cannot be read ({error})", _INSIDE) from None
    except (ValueError, OverflowError):
        raise _problem(name, f"{where} has an offset or length that is no number", _AGAIN) from None
    except OSError as error:
        reason = f"{where} cannot be read ({error.strerror})"
        raise _problem(name, reason, f"put it beside the model, or {_INSIDE}") from None
    if len(data) > room:
        reason = f"its external data is larger than the {MOST_BYTES >> 20} MiB that are read"
        raise _problem(name, reason, _SMALLER)
    if length is not None and length > len(data):
        raise _problem(name, f"{where} is shorter than the model says", _AGAIN)
    return data


def _inside(folder: Path, location: str) -> Path | None:
    """The file that `location` names from `folder`, None where it lies elsewhere or is no name of a file."""
    root = folder.resolve()
    try:
        path = (root / location).resolve()
    except (ValueError, OSError, RuntimeError):  # A zero byte, a name too long, a loop of links.
        return None
    return path if path.is_relative_to(root) else None


def _number(entries: dict[str, str], key: str) -> int | None:
    """A whole number from 0 on, None where there is none; raises `ValueError` for anything else."""
    text = entries.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise ValueError(text[:MOST_DIGITS])
    return int(text)
