"""Quantising the float layers of a model for its accelerator, and what that does to its accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thresher.accuracy import accuracy, check_labels
from thresher.emit.design import Design
from thresher.errors import UsageError
from thresher.graph import Array
from thresher.hardware.golden import golden_outputs
from thresher.host import Host, check_array
from thresher.onnx_import import Imported
from thresher.onnx_import.host import HostModel
from thresher.onnx_import.quantize import QuantisedFloats, QuantisedLayer, check_bits, quantize_float
from thresher.onnx_import.standard import Runner
from thresher_sim.streams import IntType

DATASET = "samples"


@dataclass(frozen=True, eq=False)
class FloatRequest:
    """Float layers are to have `bits` bits, by `samples`; `labels` are to say what that does to accuracy."""

    bits: int
    samples: Array
    labels: npt.ArrayLike | None


def float_request(
    bits: int | None, samples: npt.ArrayLike | None, labels: npt.ArrayLike | None
) -> FloatRequest | None:
    """What is asked for, None where nothing is.

    Raises:
        UsageError: There cannot be so many bits, or the arguments do not belong together.
    """
    if bits is not None:
        check_bits(bits)
        if samples is None:
            raise UsageError(
                "build: quantising float layers takes samples of the model's input, to choose scales by; "
                "give --samples X.npy, or samples=... from Python"
            )
        return FloatRequest(bits, np.asarray(samples), labels)
    for what, given in (("samples", samples), ("labels", labels)):
        if given is not None:
            raise UsageError(
                f"build: {what} are for quantising float layers; give --quantize-float N too, or leave "
                "them out"
            )
    return None


def quantise_floats(
    imported: Imported, request: FloatRequest, input_type: IntType | None, input_scale: float | None
) -> QuantisedFloats:
    """Quantise the float layers of `imported`.

    Integer samples are taken as the hardware's own where it has an `input_type`.

    Raises:
        UsageError: The samples do not fit the model, or nothing can be quantised.
    """
    frames = request.samples
    check_array(frames, imported.graph.shapes[imported.graph.inputs[0]], "samples")
    if input_type is not None:
        frames = real_frames(frames, 1.0 if input_scale is None else input_scale)
    return quantize_float(imported, request.bits, frames, integers_enter=input_type is not None)


def real_frames(frames: Array, scale: float) -> Array:
    """Frames for the hardware as what they mean to the model: integers times `scale`, floats as they are."""
    return frames.astype(np.float32) * np.float32(scale) if frames.dtype.kind in "iub" else frames


def with_float_layers(
    design: Design, source: Imported, quantised: QuantisedFloats, request: FloatRequest
) -> Design:
    """Add to `design` what was quantised; with labels also the accuracy of `source` and of the design.

    Raises:
        UsageError: There are fewer labels than samples.
    """
    frames = request.samples
    content: dict[str, object] = {
        "bits": request.bits,
        "samples": quantised.samples,
        "layers": [_describe(layer) for layer in quantised.layers],
        "left_on_host": [{"node": node, "because_of": cause} for node, cause in quantised.left],
    }
    if request.labels is None:
        return replace(design, float_layers=content)
    classes = check_labels(request.labels, len(frames))
    prologue, epilogue = (
        None if part is None else HostModel(part) for part in (design.prologue, design.epilogue)
    )
    host = Host(design.lowered, prologue, epilogue)
    real = frames if prologue is not None else real_frames(frames, float(design.lowered.input.scale))
    before = accuracy(Runner(source).run(real), classes)
    after = accuracy(host.decode(golden_outputs(design.graph, host.encode(frames))), classes)
    measured = {"dataset": DATASET, "images": len(frames), "onnx": before, "golden": after}
    content["accuracy"] = {"images": len(frames), "onnx": before, "golden": after, "change": after - before}
    return replace(design, float_layers=content, accuracy=measured)


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
