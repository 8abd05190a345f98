"""Small models of one elementwise operator, one that moves or picks elements, and one way to end.

All constants have few bits, so that float32 rounds nothing and whoever computes a model gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from tests.models import Array, ModelBuilder

MAP = (1, 4, 2, 4)
OPSET = 13
OPSET_OF_UPSAMPLE = 9

Made = tuple[str, tuple[int, ...]]
"""A tensor, and its shape."""


class StandardBuilder(ModelBuilder):
    """The same models with quantisers in operators of ONNX itself, for onnxruntime."""

    def quant(
        self,
        x: str,
        scale: Any = 1.0,
        zero: Any = 0.0,
        bits: float = 4,
        signed: bool = True,
        narrow: bool = False,
        rounding: str = "ROUND",
        name: str = "",
    ) -> str:
        """Divide, limit, round and multiply, as QONNX specifies a signed quantiser."""
        low, high = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
        scaled = self.node("Div", x, single(scale))
        rounded = self.node("Round", self.node("Clip", scaled, single(low), single(high)))
        return self.node("Mul", rounded, single(scale))


def single(value: float) -> npt.NDArray[np.float32]:
    return np.asarray(value, np.float32)


def column(*values: float) -> npt.NDArray[np.float32]:
    """One value per channel."""
    return np.asarray(values, np.float32).reshape(1, -1, 1, 1)


def _norm(gamma: float) -> Callable[[ModelBuilder, str], str]:
    def made(build: ModelBuilder, x: str) -> str:
        gammas, means = [1.0, 0.5, gamma, 0.5], [1.0, -2.0, 0.5, 0.0]
        return build.batch_norm(x, gammas, [0.5, -1.0, 0.25, 2.0], means, [0.75] * 4, epsilon=0.25)

    return made


def _clip(build: ModelBuilder, x: str) -> str:
    if build.opset < 11:
        return build.node("Clip", x, min=-2.5, max=1.75)
    return build.node("Clip", x, single(-2.5), single(1.75))


_PLANE = (np.arange(32, dtype=np.float32).reshape(MAP) - 16) / 8

ELEMENTWISE: Mapping[str, Callable[[ModelBuilder, str], str]] = {
    "none": lambda build, x: x,
    "Add": lambda build, x: build.node("Add", x, single(0.75)),
    "Add per channel": lambda build, x: build.node("Add", x, column(0.5, -1.25, 0, 3)),
    "Add per pixel": lambda build, x: build.node("Add", x, _PLANE),
    "Add expanded": lambda build, x: build.node("Add", x, np.tile(column(0.5, -1, 0, 2), (1, 1, 2, 4))),
    "Sub": lambda build, x: build.node("Sub", x, single(1.25)),
    "Sub from": lambda build, x: build.node("Sub", single(1.25), x),
    "Mul": lambda build, x: build.node("Mul", x, single(0.5)),
    "Mul by zero": lambda build, x: build.node("Mul", x, single(0)),
    "Mul by less": lambda build, x: build.node("Mul", x, single(-0.5)),
    "Mul per channel": lambda build, x: build.node("Mul", x, column(0.5, -1, 0, 2)),
    "Div": lambda build, x: build.node("Div", x, single(2)),
    "Div by": lambda build, x: build.node("Div", single(2), x),
    "Neg": lambda build, x: build.node("Neg", x),
    "Min": lambda build, x: build.node("Min", x, single(1.5)),
    "Max": lambda build, x: build.node("Max", x, column(-1, 0, 1.5, 100)),
    "Clip": _clip,
    "Relu": lambda build, x: build.node("Relu", x),
    "LeakyRelu": lambda build, x: build.node("LeakyRelu", x, alpha=0.25),
    "PRelu": lambda build, x: build.node("PRelu", x, column(0.25, 0.5, 0, 1)),
    "PRelu that falls": lambda build, x: build.node("PRelu", x, column(0.25, -0.5, 0, 1)),
    "BatchNormalization": _norm(1.0),
    "BatchNormalization, gamma < 0": _norm(-1.0),
    "BatchNormalization, gamma = 0": _norm(0.0),
    "Round": lambda build, x: build.node("Round", x),
    "Floor": lambda build, x: build.node("Floor", x),
    "Ceil": lambda build, x: build.node("Ceil", x),
}


def _integers(*values: int) -> npt.NDArray[np.int64]:
    return np.asarray(values, np.int64)


def _enlarge(build: ModelBuilder, x: str, factors: tuple[int, ...]) -> str:
    scales = np.asarray(factors, np.float32)
    if build.opset == OPSET_OF_UPSAMPLE:
        return build.node("Upsample", x, scales, mode="nearest")
    how = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    return build.node("Resize", x, "", scales, mode="nearest", **how)


def _split(build: ModelBuilder, x: str) -> str:
    """The second half of the channels; the first is read as well, where it costs nothing."""
    made = build.node("Split", x, _integers(2, 2), axis=1)
    build.nodes[-1].output.append(f"{made}_2")
    return f"{made}_2"


MOVES: Mapping[str, Callable[[ModelBuilder, str], Made]] = {
    "none": lambda build, x: (x, MAP),
    "Identity": lambda build, x: (build.node("Identity", x), MAP),
    "Reshape": lambda build, x: (build.node("Reshape", x, _integers(1, 4, 8)), (1, 4, 8)),
    "Reshape across": lambda build, x: (build.node("Reshape", x, _integers(1, 2, 4, 4)), (1, 2, 4, 4)),
    "Flatten": lambda build, x: (build.node("Flatten", x), (1, 32)),
    "Unsqueeze, Squeeze": lambda build, x: (
        build.node("Squeeze", build.node("Unsqueeze", x, _integers(1)), _integers(1)),
        MAP,
    ),
    "Unsqueeze": lambda build, x: (build.node("Unsqueeze", x, _integers(4)), (1, 4, 2, 4, 1)),
    "Transpose": lambda build, x: (build.node("Transpose", x, perm=[0, 1, 3, 2]), (1, 4, 4, 2)),
    "Transpose to the end": lambda build, x: (build.node("Transpose", x, perm=[0, 2, 3, 1]), (1, 2, 4, 4)),
    "Slice": lambda build, x: (
        build.node("Slice", x, _integers(-1), _integers(-100), _integers(1), _integers(-2)),
        (1, 2, 2, 4),
    ),
    "Slice pixels": lambda build, x: (
        build.node("Slice", x, _integers(1), _integers(4), _integers(3)),
        (1, 4, 2, 3),
    ),
    "Split": lambda build, x: (_split(build, x), (1, 2, 2, 4)),
    "Gather": lambda build, x: (build.node("Gather", x, _integers(2, 0, 2), axis=1), (1, 3, 2, 4)),
    "Resize": lambda build, x: (_enlarge(build, x, (1, 1, 2, 1)), (1, 4, 4, 4)),
    "Upsample": lambda build, x: (_enlarge(build, x, (1, 1, 2, 2)), (1, 4, 4, 8)),
    "Concat": lambda build, x: (build.node("Concat", x, x, axis=1), (1, 8, 2, 4)),
    "DepthToSpace": lambda build, x: (build.node("DepthToSpace", x, blocksize=2), (1, 1, 4, 8)),
    "SpaceToDepth": lambda build, x: (build.node("SpaceToDepth", x, blocksize=2), (1, 16, 1, 2)),
}


def _layer(build: ModelBuilder, x: str, shape: tuple[int, ...]) -> str:
    random, count = np.random.default_rng(0), int(np.prod(shape))
    if len(shape) == 4:
        weights = random.integers(-2, 3, (3, shape[1], 1, 1)).astype(np.float32)
        return build.node("Conv", x, build.quant(build.constant(weights), 1.0))
    weights = random.integers(-2, 3, (count, 3)).astype(np.float32)
    flat = x if len(shape) == 2 else build.node("Flatten", x)
    return build.node("MatMul", flat, build.quant(build.constant(weights), 1.0))


def _pooled(op: str) -> Callable[[ModelBuilder, str, tuple[int, ...]], str | None]:
    def made(build: ModelBuilder, x: str, shape: tuple[int, ...]) -> str | None:
        kernel = {3: [2], 4: [1, 2]}.get(len(shape))
        if kernel is None:
            return None
        return build.quant(build.node(op, x, kernel_shape=kernel, strides=kernel), 1.0, 0.0, 3)

    return made


ENDS: Mapping[str, Callable[[ModelBuilder, str, tuple[int, ...]], str | None]] = {
    "output": lambda build, x, shape: build.node("Identity", x),
    "Sigmoid": lambda build, x, shape: build.node("Sigmoid", x),
    "quantiser": lambda build, x, shape: build.quant(x, 1.0, 0.0, 3),
    "quantiser, layer": lambda build, x, shape: _layer(build, build.quant(x, 1.0, 0.0, 3), shape),
    "layer": _layer,
    "sum": lambda build, x, shape: build.quant(build.node("Add", x, build.quant(x, 0.5, 0.0, 3)), 1.0),
    "max-pool": _pooled("MaxPool"),
    "average": _pooled("AveragePool"),
}


def build_model(
    kind: type[ModelBuilder], elementwise: str, move: str, *ends: str
) -> tuple[onnx.ModelProto, list[str | None]]:
    """A model with one output for each of `ends`, and their names; None stands for an end that it has not."""
    upsample = move == "Upsample" and kind is ModelBuilder
    build = kind(MAP, opset=OPSET_OF_UPSAMPLE if upsample else OPSET)
    weights = np.asarray([[1, -1, 0, 2], [0, 1, 1, 0], [-1, 0, 1, 1], [0, 0, 0, 1]], np.float32)
    quantised = build.quant(build.constant(weights.reshape(4, 4, 1, 1)), 1.0)
    sums = build.node("Conv", "x", quantised)
    moved, shape = MOVES[move](build, ELEMENTWISE[elementwise](build, sums))
    outputs = [ENDS[end](build, moved, shape) for end in ends]
    return build.proto(*(name for name in outputs if name is not None)), outputs


def expected(elementwise: str, move: str, frames: Array) -> Mapping[str, Array]:
    """What onnxruntime gives with its optimisations off, for each way to end."""
    proto, names = build_model(StandardBuilder, elementwise, move, *ENDS)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    results = [session.run(None, {"x": frame[None]}) for frame in frames]
    there = [end for end, name in zip(ENDS, names, strict=True) if name is not None]
    return {
        end: np.concatenate(values) for end, values in zip(there, zip(*results, strict=True), strict=True)
    }
