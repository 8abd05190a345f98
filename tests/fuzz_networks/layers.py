"""Layers: matrices and convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.fuzz_networks.values import Emitter, Shape, State, Step, Value, require
from tests.fuzz_networks.weights import Weights, product, write_weights


@dataclass(frozen=True)
class Dense(Step):
    """A MatMul or a Gemm with `rows` outputs."""

    op: str = "MatMul"
    rows: int = 1
    weights: Weights = field(default_factory=Weights)
    trans_b: bool = False
    bias: bool = False
    alpha: float = 1.0
    beta: float = 1.0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the weights and the product."""
        (x,) = inputs
        require(len(x.shape) == 1, "a matrix multiplies a vector")
        random, columns = self.random(), x.shape[0]
        turned = self.op == "Gemm" and self.trans_b
        shape = (self.rows, columns) if turned else (columns, self.rows)
        written = write_weights(emitter, self.weights, shape, 0 if turned else 1, random)
        spread, most, step = product(x, written, columns)
        state: State = "sum" if x.state == "levels" else "float"
        emitter.labels[f"layer {self.op}"] += 1
        if self.op == "MatMul":
            name = emitter.node("MatMul", x.name, written.name)
            return Value(name, (self.rows,), state, spread, most, step, step is not None)
        operands = [x.name, written.name]
        biased = self.bias or emitter.style.opset < 11
        if biased:
            bias = emitter.numbers(random, (self.rows,), spread)
            form = random.integers(3)
            shaped = bias if form == 0 else bias.reshape(1, -1) if form == 1 else bias[:1]
            operands.append(emitter.constant(shaped))
            emitter.labels["layer Gemm with a bias"] += 1
        name = emitter.node(
            "Gemm",
            *operands,
            alpha=self.alpha if self.alpha != 1 else None,
            beta=self.beta if self.beta != 1 else None,
            transB=int(self.trans_b) or None,
        )
        plain = not biased and self.alpha == 1
        kept = step if plain else None
        return Value(name, (self.rows,), state, spread * abs(self.alpha), most, kept, kept is not None)


@dataclass(frozen=True)
class Convolve(Step):
    """A convolution over one or two dimensions; `pads` are those before, then those after."""

    rows: int = 1
    kernel: Shape = (1, 1)
    strides: Shape = ()
    dilations: Shape = ()
    pads: Shape = ()
    auto_pad: str = ""
    groups: int = 1
    bias: bool = False
    pad_node: bool = False
    pad_value: bool = False
    names_kernel: bool = True
    weights: Weights = field(default_factory=Weights)

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the weights and the convolution."""
        (x,) = inputs
        channels, *sizes = x.shape
        require(len(sizes) == len(self.kernel), "the kernel has other dimensions than the map")
        require(channels % self.groups == 0 and self.rows % self.groups == 0, "groups do not divide")
        random, shape = self.random(), (self.rows, channels // self.groups, *self.kernel)
        result = output_sizes(sizes, self.kernel, self.strides, self.dilations, self.pads, self.auto_pad)
        written = write_weights(emitter, self.weights, shape, 0, random)
        spread, most, step = product(x, written, int(np.prod(shape[1:])))
        name, pads = x.name, self.pads or None
        if self.pad_node and pads and not self.auto_pad:
            value = x.step if self.pad_value and x.step is not None and x.state == "levels" else 0.0
            name, pads = pad(emitter, name, pads, value), None
        operands = [name, written.name]
        if self.bias:
            operands.append(emitter.constant(emitter.numbers(random, (self.rows,), spread)))
        self._note(emitter, channels)
        made = emitter.node(
            "Conv",
            *operands,
            kernel_shape=list(self.kernel) if self.names_kernel else None,
            strides=list(self.strides) or None,
            dilations=list(self.dilations) or None,
            pads=None if self.auto_pad else pads,
            auto_pad=self.auto_pad or None,
            group=self.groups if self.groups > 1 else None,
        )
        state: State = "sum" if x.state == "levels" else "float"
        kept = None if self.bias else step
        return Value(made, (self.rows, *result), state, spread, most, kept, kept is not None)

    def _note(self, emitter: Emitter, channels: int) -> None:
        emitter.labels[f"layer Conv {len(self.kernel)}-D"] += 1
        for label, holds in (
            ("grouped", 1 < self.groups < channels),
            ("depthwise", self.groups == channels > 1),
            ("1x1", set(self.kernel) == {1}),
            ("dilated", any(each > 1 for each in self.dilations)),
            (
                "strided beyond its kernel",
                any(s > k for s, k in zip(self.strides, self.kernel, strict=False)),
            ),
            ("padded alike", bool(self.pads) and len(set(self.pads)) == 1),
            ("padded asymmetrically", len(set(self.pads)) > 1),
            (f"auto_pad {self.auto_pad}", bool(self.auto_pad)),
            ("with a bias", self.bias),
            ("behind a Pad", self.pad_node and bool(self.pads)),
        ):
            emitter.labels[f"layer Conv {label}"] += holds


def output_sizes(
    sizes: Sequence[int], kernel: Shape, strides: Shape, dilations: Shape, pads: Shape, auto_pad: str
) -> Shape:
    """The sizes of the map behind windows; raises `InvalidError` where none fits."""
    rank = len(sizes)
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    around = pads or (0,) * (2 * rank)
    require(len(strides) == len(dilations) == rank and len(around) == 2 * rank, "ranks differ")
    result = []
    for axis, size in enumerate(sizes):
        span = (kernel[axis] - 1) * dilations[axis] + 1
        if auto_pad.startswith("SAME"):
            require(dilations[axis] == 1, "SAME with a dilation")
            result.append(-(-size // strides[axis]))
            continue
        room = size - span + (0 if auto_pad == "VALID" else around[axis] + around[rank + axis])
        require(room >= 0, "the window is larger than the map")
        result.append(room // strides[axis] + 1)
    return tuple(result)


def pad(emitter: Emitter, x: str, pads: Shape, value: float) -> str:
    """A Pad node around the map."""
    rank = len(pads) // 2
    every = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
    if emitter.style.opset < 11:
        return emitter.node("Pad", x, pads=every, value=float(value), mode="constant")
    return emitter.node("Pad", x, emitter.constant(every, np.int64), emitter.constant(value), mode="constant")
