"""Samples at a build: quantising float layers by them, and the accuracy of what was built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.accuracy import accuracy, check_labels
from thresher.emit.design import Design
from thresher.errors import UsageError
from thresher.hardware.golden import golden_outputs
from thresher.host import Host, as_array, check_array
from thresher.ir.graph import Array
from thresher.onnx_import import Imported
from thresher.onnx_import.host import HostModel
from thresher.onnx_import.quantize import QuantisedFloats, QuantisedLayer, check_bits, quantize_float
from thresher.onnx_import.standard import Runner
from thresher_sim.streams import BIPOLAR, IntType

DATASET = "samples"


@dataclass(frozen=True, eq=False)
class SampleRequest:
    """Frames `samples` to quantise float layers to `bits` bits by, and `labels` to measure accuracy with."""

    samples: Array
    bits: int | None
    labels: npt.ArrayLike | None


def sample_request(
    bits: int | None, samples: npt.ArrayLike | None, labels: npt.ArrayLike | None
) -> SampleRequest | None:
    """What is asked for, None where nothing is.

    Raises:
        UsageError: There cannot be so many bits, or the arguments do not belong together.
    """
    if bits is not None:
        check_bits(bits)
    if samples is not None:
        return SampleRequest(as_array(samples, "samples"), bits, labels)
    if bits is not None:
        raise UsageError(
            "build: quantising float layers takes samples of the model's input, to choose scales by; "
            "give --samples X.npy, or samples=... from Python"
        )
    if labels is not None:
        raise UsageError("build: labels belong to samples; give those too, with --samples X.npy")
    return None


def parse_type(text: str) -> IntType | None:
    """`bipolar`, `uint1` to `uint8` or `int2` to `int8`, with its full range; None for any other text."""
    match = re.fullmatch(r"(u?)int([1-8])", text)
    if text == "bipolar":
        return BIPOLAR
    if match is None or text == "int1":
        return None
    bits = int(match[2])
    return IntType(0, 2**bits - 1) if match[1] else IntType(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def quantise_floats(
    imported: Imported,
    request: SampleRequest,
    bits: int,
    input_type: IntType | None,
    input_scale: float | None,
) -> QuantisedFloats:
    """Quantise the float layers of `imported` to `bits` bits.

    Integer samples are taken as the hardware's own where it has an `input_type`.

    Raises:
        UsageError: The samples do not fit the model, or nothing can be quantised.
    """
    frames = request.samples
    check_array(frames, imported.graph.shapes[imported.graph.inputs[0]], "samples")
    if input_type is not None:
        frames = real_frames(frames, 1.0 if input_scale is None else input_scale)
    return quantize_float(imported, bits, frames, integers_enter=input_type is not None)


def real_frames(frames: Array, scale: float) -> Array:
    """Frames for the hardware as what they mean to the model: integers times `scale`, floats as they are."""
    return frames.astype(np.float32) * np.float32(scale) if frames.dtype.kind in "iub" else frames


def describe_float_layers(quantised: QuantisedFloats) -> dict[str, object]:
    """What was quantised, for the report."""
    return {
        "bits": quantised.bits,
        "samples": quantised.samples,
        "layers": [_describe(layer) for layer in quantised.layers],
        "left_on_host": [{"node": node, "because_of": cause} for node, cause in quantised.left],
    }


def described_layers(report: Mapping[str, Any]) -> tuple[QuantisedLayer, ...]:
    """The float layers that were quantised, from what `describe_float_layers` put into a report."""
    return tuple(_described(each) for each in report.get("layers", ()))


def _described(layer: Mapping[str, Any]) -> QuantisedLayer:
    scales, kind = layer["weight_scales"], layer["input_type"]
    return QuantisedLayer(
        node=layer["node"],
        weight_bits=layer["weight_bits"],
        weight_scales=None if scales is None else np.asarray(scales, np.float32),
        input_type=None if kind is None else parse_type(kind),
        input_scale=layer["input_scale"],
    )


def host_of(design: Design) -> Host:
    """The host's side of a design that is not written yet."""
    prologue, epilogue = (
        None if part is None else HostModel(part) for part in (design.prologue, design.epilogue)
    )
    return Host(design.lowered, prologue, epilogue)


def measure_accuracy(design: Design, model: Imported, request: SampleRequest) -> dict[str, object]:
    """The accuracy of `model` and of `design` on the samples, for the report.

    Raises:
        UsageError: The samples or labels do not fit the model, or each other.
    """
    frames = request.samples
    check_array(frames, model.graph.shapes[model.graph.inputs[0]], "samples")
    host = host_of(design)
    classes = check_labels([] if request.labels is None else request.labels, len(frames), host.classes)
    real = frames
    if host.prologue is None:
        real = real_frames(frames, float(design.lowered.input.scale.reshape(-1)[0]))
    before = accuracy(Runner(model).run(real), classes)
    after = accuracy(host.decode(golden_outputs(design.graph, host.encode(frames))), classes)
    return {"dataset": DATASET, "images": len(frames), "onnx": before, "golden": after}


def _describe(layer: QuantisedLayer) -> dict[str, object]:
    return {
        "node": layer.node,
        "weight_bits": layer.weight_bits,
        "weight_scales": None
        if layer.weight_scales is None
        else [float(each) for each in layer.weight_scales],
        "input_type": None if layer.input_type is None else str(layer.input_type).partition("[")[0],
        "input_scale": layer.input_scale,
    }
