"""Models in standard ONNX operators, held to onnxruntime: every quantised tensor, and the outputs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from tests.lower.helpers import Compiled, compile_proto
from tests.models import Array, ModelBuilder, randomise_statistics
from thresher.ir.integer import IntPool, IntThreshold
from thresher.ir.quantisers import Quantiser


def run_onnxruntime(proto: onnx.ModelProto, frames: Array) -> Mapping[str, Array]:
    """Every tensor of `proto`, frame by frame, with no operator fused."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    names = [name for node in copy.graph.node for name in node.output if name]
    del copy.graph.output[:]
    copy.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options)
    entry = session.get_inputs()[0].name
    columns = zip(*(session.run(None, {entry: frame[None]}) for frame in frames), strict=True)
    tensors = dict(zip(names, columns, strict=True))
    # Where a shape hangs on the values, frames do not stack.
    alike = {name: len({value.shape for value in values}) == 1 for name, values in tensors.items()}
    return {name: np.stack(values) for name, values in tensors.items() if alike[name]}


def assert_exact(
    proto: onnx.ModelProto, frames: Array, scores: float = 0.0, last: bool = False, **options: Any
) -> Compiled:
    """Hold every quantiser's integers to onnxruntime, and the outputs to within `scores` of the largest.

    Quantised maps have channels first, or `last`.
    """
    expected = run_onnxruntime(proto, frames)
    compiled = compile_proto(proto, **options)
    integers = compiled.trace(frames)
    quantisers = [node for node in compiled.imported.graph.nodes if isinstance(node, Quantiser)]
    traced = ["input"] * (compiled.lowered.prologue is not None) + _quantised(compiled)
    assert len(quantisers) == len(traced) > 0
    for quantiser, name in zip(quantisers, traced, strict=True):
        real = expected[quantiser.output][:, 0].astype(np.float64)
        whole = np.rint(real / quantiser.scale[0] if quantiser.scale.ndim > 1 else real / quantiser.scale)
        np.testing.assert_array_equal(integers[name], _in_stream(whole + quantiser.zero, last), name)
    outputs = expected[proto.graph.output[0].name][:, 0]
    given = compiled.predict(frames)
    np.testing.assert_allclose(given, outputs, rtol=0, atol=scores * np.abs(outputs).max())
    assert len(np.unique(outputs)) > 1
    return compiled


def _quantised(compiled: Compiled) -> list[str]:
    """What each quantiser in hardware gives, pooled where the model pools in front of it."""
    nodes = compiled.lowered.graph.nodes
    places = [place for place, node in enumerate(nodes) if isinstance(node, IntThreshold)]
    pooled = [place + 2 < len(nodes) and isinstance(nodes[place + 2], IntPool) for place in places]
    return [nodes[place + 2 * pool].output for place, pool in zip(places, pooled, strict=True)]


def _in_stream(frames: Array, last: bool) -> Array:
    if frames.ndim == 2:
        return frames[:, None]
    if last:
        return frames.reshape(len(frames), -1, frames.shape[-1])
    return np.moveaxis(frames.reshape(*frames.shape[:2], -1), 1, 2)


def export_torch(network: Any, shape: tuple[int, ...], dynamo: bool, path: Path) -> onnx.ModelProto:
    """Export a module as `torch.onnx.export` does, weights beside it where the exporter puts them there."""
    import torch

    randomise_statistics(network)
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(shape),), path, dynamo=dynamo, verbose=False)
    return onnx.load(path)


def signs(rng: np.random.Generator, *shape: int) -> Array:
    """Random -1 and 1."""
    return np.where(rng.random(shape) < 0.5, -1, 1).astype(np.float32)


def layered(activation: Any, rng: np.random.Generator, shape: tuple[int, ...] = (1, 8)) -> ModelBuilder:
    """Two layers of signs, an `activation(build, x)` in front of each, and integers for the second."""
    build = ModelBuilder(shape)
    x = build.node("MatMul", activation(build, "x"), signs(rng, 8, 6))
    build.node("MatMul", activation(build, x), signs(rng, 6, 5), name="last")
    return build
