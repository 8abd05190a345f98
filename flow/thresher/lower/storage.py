"""A lowered network as one `.npz`: arrays, and JSON for all else. No pickle, so safe to load."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from thresher.errors import UsageError
from thresher.ir.custom import NO_OPERATORS, CustomOperator, Operators
from thresher.ir.integer import (
    EdgeCorrections,
    IntArgMax,
    IntCustom,
    IntDepthwise,
    IntGlobalPool,
    IntGraph,
    IntMatMul,
    IntNode,
    IntPool,
    IntThreshold,
    IntWindow,
    TensorType,
)
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect, IntUpsample
from thresher.ir.window import Window
from thresher.lower.lowered import Approximation, Checkpoint, Endpoint, Lowered
from thresher.lower.one_product import OneProduct
from thresher_sim.streams import IntType

Arrays = dict[str, np.ndarray[Any, Any]]

_KINDS: dict[str, type[IntNode]] = {
    kind.__name__: kind
    for kind in (
        IntAdd,
        IntArgMax,
        IntConcat,
        IntCustom,
        IntDepthwise,
        IntGlobalPool,
        IntMatMul,
        IntPool,
        IntRescale,
        IntSelect,
        IntThreshold,
        IntUpsample,
        IntWindow,
    )
}
# What consists of arrays and is part of something else, by the word that marks it.
_PARTS: dict[str, type] = {"corrections": EdgeCorrections, "product": OneProduct}
# The archive must not hold the time of day: the same network gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def dump_lowered(lowered: Lowered) -> bytes:
    """Serialise `lowered`; the same network gives the same bytes."""
    arrays: Arrays = {}
    graph = lowered.graph
    header = {
        "nodes": [{"kind": type(node).__name__} | _describe(node, node.name, arrays) for node in graph.nodes],
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "input": _describe(lowered.input, "input", arrays),
        "output": _describe(lowered.output, "output", arrays),
        "prologue": lowered.prologue,
        "epilogue": lowered.epilogue,
        "approximations": [each.to_json() for each in lowered.approximations],
        "checkpoints": [
            _describe(each, f"checkpoint{place}", arrays) for place, each in enumerate(lowered.checkpoints)
        ],
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    return _zip(arrays)


def load_lowered(data: bytes, operators: Operators = NO_OPERATORS) -> Lowered:
    """Read what `dump_lowered` wrote.

    Raises:
        UsageError: It is damaged, or needs an operator that `operators` lacks.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = dict(archive)
        header = json.loads(arrays["header"].tobytes())
        for node in header["nodes"]:
            if "operator" in node:
                node["operator"] = _restore_operator(node["operator"], operators)
        nodes = tuple(
            _restore(_KINDS[node.pop("kind")], node["name"], node, arrays) for node in header["nodes"]
        )
        return Lowered(
            graph=IntGraph(nodes, tuple(header["inputs"]), tuple(header["outputs"])),
            input=_restore(Endpoint, "input", header["input"], arrays),
            output=_restore(Endpoint, "output", header["output"], arrays),
            prologue=header["prologue"],
            epilogue=header["epilogue"],
            approximations=tuple(Approximation(**each) for each in header["approximations"]),
            checkpoints=tuple(
                _restore(Checkpoint, f"checkpoint{place}", each, arrays)
                for place, each in enumerate(header["checkpoints"])
            ),
        )
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"load: the project's integer network is damaged ({error}); build it again"
        ) from None


def digest_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of the files in a folder, such as a project's `model`."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _zip(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _describe(item: Any, name: str, arrays: Arrays) -> dict[str, object]:
    """The fields of a frozen dataclass: arrays go to `arrays`, all else is returned as plain JSON."""
    described: dict[str, object] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, np.ndarray):
            arrays[f"{name}.{field.name}"] = value
        elif isinstance(value, tuple(_PARTS.values())):
            (mark,) = (mark for mark, kind in _PARTS.items() if isinstance(value, kind))
            described[field.name] = {mark: _describe(value, f"{name}.{field.name}", arrays)}
        else:
            described[field.name] = _plain(value)
    return described


def _plain(value: Any) -> object:
    if isinstance(value, TensorType):
        return {"tensor_type": [_plain(value.element), value.vectors, value.channels]}
    if isinstance(value, IntType):
        return {"int_type": [value.lo, value.hi, value.bipolar]}
    if isinstance(value, Window):
        return {"window": [getattr(value, field.name) for field in fields(value)]}
    if isinstance(value, CustomOperator):
        parameters = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"domain": value.domain, "op_type": value.op_type, "parameters": parameters}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _restore(kind: Any, name: str, described: dict[str, Any], arrays: Arrays) -> Any:
    values: dict[str, Any] = {}
    for field in fields(kind):
        part = f"{name}.{field.name}"
        value = described.get(field.name)
        marks = _PARTS.keys() & value.keys() if isinstance(value, dict) else ()
        if isinstance(value, dict) and marks:
            (mark,) = marks
            values[field.name] = _restore(_PARTS[mark], part, value[mark], arrays)
        else:
            values[field.name] = _typed(value) if field.name in described else arrays[part]
    return kind(**values)


def _restore_operator(described: dict[str, Any], operators: Operators) -> CustomOperator:
    domain, op_type = str(described["domain"]), str(described["op_type"])
    kind = operators.get((domain, op_type))
    if kind is None:
        raise UsageError(
            f"load: the project has a unit for operator {op_type} of domain '{domain}', which no installed "
            "package knows; install the one that it was built with"
        )
    return kind(**{name: _typed(value) for name, value in described["parameters"].items()})


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        if "tensor_type" in value:
            element, vectors, channels = value["tensor_type"]
            return TensorType(_typed(element), vectors, channels)
        if "window" in value:
            return Window(*(_typed(part) for part in value["window"]))
        return IntType(*value["int_type"])
    return tuple(_typed(each) for each in value) if isinstance(value, list) else value
