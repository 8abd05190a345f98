"""Random steps behind a value that is there: quantisers, layers, pools, and what moves elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from tests.fuzz_networks.description import Entry
from tests.fuzz_networks.layers import Convolve, Dense
from tests.fuzz_networks.moves import Move, Pick
from tests.fuzz_networks.pointwise import CONSTANT_OPS, FORMS, OTHER_OPS, Pointwise
from tests.fuzz_networks.quantisers import BINARY_VARIANTS, ROUND_VARIANTS, ROUNDINGS, Quantise
from tests.fuzz_networks.values import DOMAIN, Emitter, InvalidError, Shape, Step, Style, Value
from tests.fuzz_networks.weights import Weights, has_evidence

T = TypeVar("T")
_MOST_ELEMENTS = 400


@dataclass
class Draws:
    """A network that steps are added to one by one; what does not fit is left out.

    Each of the steps is added behind the value number `head`, and the number of the new value is returned.
    """

    random: np.random.Generator
    style: Style
    entry: Entry
    steps: list[Step] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.entry.input_type and self.style.dyadic:
            self.entry = replace(self.entry, scale=float(np.exp2(np.round(np.log2(self.entry.scale)))))
        self.emitter = Emitter(self.style)
        self.values.append(self.entry.value)

    def chance(self, probability: float) -> bool:
        """True as often as `probability` says."""
        return bool(self.random.random() < probability)

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[int(self.random.integers(len(options)))]

    def _variant(self) -> int:
        return int(self.random.integers(6))

    def add(self, step: Step) -> int:
        """Add a step; the number of its value, or of its first source where it does not fit."""
        step = replace(step, seed=int(self.random.integers(1 << 30)))
        before = len(self.emitter.nodes), len(self.emitter.constants)
        try:
            value = step.emit(self.emitter, [self.values[place] for place in step.sources])
        except InvalidError:
            del self.emitter.nodes[before[0] :], self.emitter.constants[before[1] :]
            return step.sources[0]
        if int(np.prod(value.shape)) > _MOST_ELEMENTS:
            return step.sources[0]
        self.steps.append(step)
        self.values.append(value)
        return len(self.values) - 1

    def _float_layer(self, head: int) -> int:
        """A layer of the host's, ahead of the hardware or behind it."""
        shape, weights = self.values[head].shape, Weights("float")
        if len(shape) == 1:
            return self.add(Dense((head,), rows=int(self.random.integers(1, 9)), weights=weights))
        if len(shape) > 3:
            return head
        kernel = tuple(min(2, size) for size in shape[1:])
        return self.add(
            Convolve((head,), rows=int(self.random.integers(1, 6)), kernel=kernel, weights=weights)
        )

    def _quantised(self, head: int) -> int:
        made = self.add(self._quantiser(head))
        return made if made != head else self.add(Quantise((head,), variant=1))

    def _quantiser(self, head: int) -> Quantise:
        value = self.values[head]
        form = self.pick(["Quant"] * 5 + ["IntQuant", "BipolarQuant", "binary", "binary", "round", "round"])
        if value.state in ("sum", "levels") and value.step is not None and self.chance(0.15):
            form = "Trunc"
        if form == "IntQuant" and self.style.domain != DOMAIN:
            form = "Quant"
        bits = int(self.pick([1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8]))
        return Quantise(
            (head,),
            form=form,
            bits=max(2, bits) if form == "Trunc" else bits,
            signed=self.chance(0.5),
            narrow=self.chance(0.3) and bits > 1,
            rounding=self.pick(ROUNDINGS) if self.chance(0.5) else "ROUND",
            zero=int(self.random.integers(-3, 8)) if self.chance(0.2) else 0,
            channels=self.chance(0.06),
            gain=float(self.pick([0.25, 0.5, 1.0, 1.0, 1.0, 2.0, 8.0]) if self.chance(0.92) else self._far()),
            variant=int(self.random.integers(BINARY_VARIANTS * ROUND_VARIANTS)),
        )

    def _far(self) -> float:
        """A gain that makes a tensor that is always zero, or always at its limits."""
        return float(10.0 ** self.random.uniform(-13, 7))

    def _pointwise(self, head: int) -> int:
        value = self.values[head]
        op = self.pick([*CONSTANT_OPS, *OTHER_OPS, "BatchNormalization", "BatchNormalization"])
        form = self.pick([*FORMS[:5], "scalar", "scalar", "channels", "channels"])
        if self.chance(0.05) and int(np.prod(value.shape)) < 40:
            form = "full"
        size = 1.0 if self.chance(0.8) else float(self.pick([0.001, 0.1, 8.0, 64.0]))
        zeros = self.chance(0.15)
        return self.add(Pointwise((head,), op=op, form=form, first=self.chance(0.5), zeros=zeros, size=size))

    def _dense(self, head: int) -> int:
        (columns,) = self.values[head].shape
        rows, gemm = int(self.random.integers(1, 13)), self.chance(0.5)
        turned = gemm and self.chance(0.5)
        shape, axis = ((rows, columns), 0) if turned else ((columns, rows), 1)
        alpha, beta = (1.0 if self.chance(0.8) else float(self.pick([0.5, 2.0, 0.25])) for _ in range(2))
        op, bias = "Gemm" if gemm else "MatMul", gemm and self.chance(0.5)
        weights = self._weights(shape, axis)
        return self.add(
            Dense(
                (head,), op=op, rows=rows, weights=weights, trans_b=turned, bias=bias, alpha=alpha, beta=beta
            )
        )

    def _weights(self, shape: Shape, axis: int) -> Weights:
        form = self.pick(["Quant"] * 4 + ["BipolarQuant", "plain", "plain", "sign"])
        if form in ("plain", "sign") and not has_evidence(shape, axis):
            form = "Quant"
        bits, channels = int(self.pick([1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 8])), self.chance(0.35)
        return Weights(
            form,
            bits=bits,
            signed=self.chance(0.8),
            narrow=self.chance(0.3) and bits > 1,
            rounding=self.pick(ROUNDINGS) if self.chance(0.2) else "ROUND",
            zero=int(self.random.integers(-2, 4)) if self.chance(0.15) and bits < 8 else 0,
            channels=channels,
            decades=float(self.pick([0.0, 1.0, 3.0, 12.0])) if channels else 0.0,
            negative=self.chance(0.5),
            extreme=self.chance(0.1),
            transposed=self.chance(0.2),
        )

    def _convolve(self, head: int) -> int:
        shape = self.values[head].shape
        channels, *sizes = shape
        rank = len(sizes)
        groups = int(self.pick([each for each in (1, 1, 1, 2, 3, channels) if channels % each == 0]))
        rows = groups * int(self.random.integers(1, 1 + max(1, 8 // groups)))
        kernel = tuple(min(int(each), 4) for each in self.random.integers(1, 5, rank))
        strides = tuple(int(self.pick([1, 1, 2, 3, 5])) for _ in kernel) if self.chance(0.5) else ()
        dilations = tuple(int(self.pick([1, 2])) for _ in kernel) if self.chance(0.25) else ()
        pads: Shape = ()
        if self.chance(0.6):
            pads = tuple(int(each) for each in self.random.integers(0, 3, 2 * rank))
            pads = (pads[0],) * (2 * rank) if self.chance(0.4) else pads
        auto_pad = ""
        if self.chance(0.2):
            auto_pad, dilations = self.pick(["SAME_UPPER", "SAME_LOWER", "VALID"]), ()
        kernel = _fitted(kernel, dilations, sizes, pads, auto_pad)
        weights = self._weights((rows, channels // groups, *kernel), 0)
        return self.add(
            Convolve(
                (head,),
                rows=rows,
                kernel=kernel,
                strides=strides,
                dilations=dilations,
                pads=pads,
                auto_pad=auto_pad,
                groups=groups,
                bias=self.chance(0.2),
                pad_node=self.chance(0.25),
                pad_value=self.chance(0.2),
                names_kernel=self.chance(0.7),
                weights=weights,
            )
        )

    def _same_size(self, head: int) -> int:
        """A convolution, or a matrix, that keeps the shape."""
        shape = self.values[head].shape
        if len(shape) == 1:
            return self.add(Dense((head,), rows=shape[0], weights=self._weights((shape[0], shape[0]), 1)))
        kernel = tuple(int(self.pick([1, 3])) for _ in shape[1:])
        pads = tuple(size // 2 for size in kernel) * 2
        weights = self._weights((shape[0], shape[0], *kernel), 0)
        return self.add(Convolve((head,), rows=shape[0], kernel=kernel, pads=pads, weights=weights))

    def _layout(self, head: int) -> int:
        shape = self.values[head].shape
        kinds = ["unsqueeze", "shuffle"] if len(shape) < 3 else ["shuffle"]
        kinds += ["fold"] if len(shape) == 1 else ["transpose", "transpose", "flatten", "turn"]
        kinds += ["squeeze", "squeeze"] if 1 in shape and len(shape) > 1 else []
        return self.add(Move((head,), kind=self.pick(kinds), variant=self._variant()))

    def _pick(self, head: int) -> int:
        kinds = ["Slice", "Split", "Gather"]
        kinds += ["Resize", "Resize", "Resize"] if len(self.values[head].shape) > 1 else []
        kinds += ["SpaceToDepth", "DepthToSpace"] if self.chance(0.1) else []
        return self.add(Pick((head,), kind=self.pick(kinds), variant=self._variant()))


def _fitted(kernel: Shape, dilations: Shape, sizes: Sequence[int], pads: Shape, auto_pad: str) -> Shape:
    """The kernel, no larger than the map with its padding."""
    rank = len(sizes)
    around = pads if pads and not auto_pad else (0,) * (2 * rank)
    result = []
    for axis, size in enumerate(kernel):
        room = sizes[axis] + around[axis] + around[rank + axis]
        dilation = dilations[axis] if dilations else 1
        result.append(max(1, min(size, (room - 1) // dilation + 1)))
    return tuple(result)
