"""A random network from a seed: steps that fit what is there, so that most networks are supported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from tests.fuzz_networks.caught import Caught
from tests.fuzz_networks.description import Description, Entry, make_frames, write_network
from tests.fuzz_networks.executor import execute
from tests.fuzz_networks.layers import Convolve, Dense
from tests.fuzz_networks.moves import Join, Largest, Move, Pick
from tests.fuzz_networks.pointwise import CONSTANT_OPS, FORMS, OTHER_OPS, Pointwise
from tests.fuzz_networks.pools import GlobalPool, Pool
from tests.fuzz_networks.quantisers import BINARY_VARIANTS, ROUND_VARIANTS, ROUNDINGS, Quantise
from tests.fuzz_networks.values import Emitter, InvalidError, Shape, Step, Style, Value
from tests.fuzz_networks.weights import Weights, has_evidence

T = TypeVar("T")
DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
MOST_BLOCKS = 5
# Networks that are drawn for one seed, for one that is not constant.
_TRIALS = 3
MOST_ELEMENTS = 400


def random_description(seed: int) -> Description:
    """The network of `seed`: of a few the first whose outputs differ between frames, if there is one."""
    random = np.random.default_rng(seed)
    for _ in range(_TRIALS - 1):
        description = _grown(seed, random)
        if _varies(description):
            return description
    return _grown(seed, random)


def _varies(description: Description) -> bool:
    """Whether its outputs differ between frames; what the oracle cannot compute is left to the judge."""
    with Caught() as caught, np.errstate(all="ignore"):
        outputs = execute(write_network(description).proto, make_frames(description, 8)).outputs
        return bool((outputs != outputs[:1]).any())
    return caught.error is not None


def _grown(seed: int, random: np.random.Generator) -> Description:
    grower = Grower(random, _style(random), _entry(random))
    grower.grow()
    description = Description(
        grower.entry,
        tuple(grower.steps),
        grower.style,
        argmax=grower.argmax,
        add_bits=16 if random.random() < 0.8 else int(random.integers(8, 33)),
        frames_seed=seed,
    )
    return description.pruned()


def _style(random: np.random.Generator) -> Style:
    return Style(
        opset=int(random.integers(9, 21)),
        domain=DOMAINS[min(int(random.integers(6)), 2)] if random.random() < 0.5 else DOMAINS[0],
        dyadic=bool(random.random() < 0.5),
        constant_nodes=bool(random.random() < 0.2),
        any_batch=bool(random.random() < 0.2),
    )


def _entry(random: np.random.Generator) -> Entry:
    """A vector, a line, or a map; now and then of size one."""
    rank = int(random.choice([1, 1, 2, 3, 3, 3]))
    sizes = [int(each) for each in random.integers(1, 8, rank - 1)]
    channels = int(random.integers(1, 25 if rank == 1 else 9))
    shape = (channels, *sizes)
    if random.random() < 0.65:
        return Entry(shape)
    bits, kind = int(random.integers(1, 9)), int(random.integers(5))
    name = "bipolar" if kind == 0 else f"uint{bits}" if kind < 3 else f"int{max(bits, 2)}"
    scale = float(np.exp2(random.integers(-8, 3)))
    if random.random() < 0.4:
        scale = float(np.float32(random.uniform(0.001, 2)))
    return Entry(shape, name, scale)


@dataclass
class Grower:
    """Adds steps to a network; what does not fit is left out."""

    random: np.random.Generator
    style: Style
    entry: Entry
    steps: list[Step] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    argmax: bool = False

    def __post_init__(self) -> None:
        if self.entry.input_type and self.style.dyadic:
            self.entry = replace(self.entry, scale=float(np.exp2(np.round(np.log2(self.entry.scale)))))
        self.emitter = Emitter(self.style)
        self.values.append(self.entry.value)

    def grow(self) -> None:
        """The whole network."""
        head = self._entered()
        ready = [head]
        for _ in range(int(self.random.integers(1, MOST_BLOCKS + 1))):
            head = self._block(head if self.chance(0.75) else self.pick(ready))
            if self.values[head].state in ("levels", "sum"):
                ready.append(head)
        self._end(head)

    def chance(self, probability: float) -> bool:
        """True as often as `probability` says."""
        return bool(self.random.random() < probability)

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[int(self.random.integers(len(options)))]

    def add(self, step: Step) -> int:
        """Add a step; the number of its value, or of its first source where it does not fit."""
        step = replace(step, seed=int(self.random.integers(1 << 30)))
        before = len(self.emitter.nodes), len(self.emitter.constants)
        try:
            value = step.emit(self.emitter, [self.values[place] for place in step.sources])
        except InvalidError:
            del self.emitter.nodes[before[0] :], self.emitter.constants[before[1] :]
            return step.sources[0]
        if int(np.prod(value.shape)) > MOST_ELEMENTS:
            return step.sources[0]
        self.steps.append(step)
        self.values.append(value)
        return len(self.values) - 1

    def _entered(self) -> int:
        """The integers behind the first quantiser, if there is one."""
        head = 0
        for _ in range(int(self.pick([0, 0, 0, 1, 1, 2]))):
            head = self._pointwise(head)
        if self.chance(0.1):
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape", "transpose"])))
        if not self.entry.input_type and self.chance(0.08):
            head = self._float_layer(head)
        if not self.entry.input_type or not self.values[head].linear or self.chance(0.5):
            step = self._quantiser(head)
            if not self.entry.input_type and step.form in ("Trunc",):
                step = replace(step, form="Quant")
            if step.form == "binary" and step.variant % BINARY_VARIANTS in (6, 7):
                step = replace(step, variant=1)
            if step.form == "round" and self.chance(0.9):
                step = replace(step, narrow=False)
            made = self.add(step)
            head = made if made != head else self.add(Quantise((head,)))
        return head

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

    def _block(self, head: int) -> int:
        """Some steps behind `head`."""
        value = self.values[head]
        if value.pooled:
            return self._behind_pool(head)
        if value.state == "levels":
            kinds = ["quantise", "layout", "pick", "tour", "join", "pointwise", "pool"]
            weights = [0.08, 0.06, 0.08, 0.1, 0.14, 0.06, 0.16]
            if value.linear:
                kinds += ["layer", "residual"]
                weights += [0.4, 0.12]
        else:
            kinds = ["quantise", "join", "pool", "layout", "pick", "tour"]
            weights = [0.7, 0.06, 0.12, 0.04, 0.04, 0.04]
        kind = kinds[int(self.random.choice(len(kinds), p=np.asarray(weights) / sum(weights)))]
        return int(getattr(self, f"_{kind}")(head))

    def _behind_pool(self, head: int) -> int:
        """A quantiser, behind a norm of each channel or a flattened map at times."""
        if self.chance(0.3):
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape"]), variant=self._variant()))
        for _ in range(int(self.pick([0, 1, 1]))):
            head = self._pointwise(head)
        return self._quantised(head)

    def _tour(self, head: int) -> int:
        """Elements moved, picked and quantised in any order."""
        for _ in range(int(self.random.integers(2, 5))):
            head = self.pick([self._layout, self._layout, self._pick, self._pick, self._quantised])(head)
        return head

    def _quantise(self, head: int) -> int:
        for _ in range(int(self.pick([0, 0, 1, 1, 2, 3]))):
            head = self._pointwise(head)
        if self.chance(0.1) and len(self.values[head].shape) > 1:
            head = self._pool(head)
        return self._quantised(head)

    def _quantised(self, head: int) -> int:
        made = self.add(self._quantiser(head))
        return made if made != head else self.add(Quantise((head,), variant=1))

    def _quantiser(self, head: int) -> Quantise:
        value = self.values[head]
        form = self.pick(["Quant"] * 5 + ["IntQuant", "BipolarQuant", "binary", "binary", "round", "round"])
        if value.state in ("sum", "levels") and value.step is not None and self.chance(0.15):
            form = "Trunc"
        if form == "IntQuant" and self.style.domain != DOMAINS[0]:
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

    def _layer(self, head: int) -> int:
        shape = self.values[head].shape
        if len(shape) in (2, 3) and self.chance(0.75):
            return self._convolve(head)
        if len(shape) > 1:
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape"]), variant=self._variant()))
        return self._dense(head) if len(self.values[head].shape) == 1 else self._quantised(head)

    def _variant(self) -> int:
        return int(self.random.integers(6))

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

    def _residual(self, head: int) -> int:
        if len(self.values[head].shape) > 3:
            return self._layer(head)
        around = self._same_size(head)
        for _ in range(int(self.pick([0, 0, 1]))):
            around = self._pointwise(around)
        if self.chance(0.7):
            around = self._quantised(around)
        pair = (head, around) if self.chance(0.5) else (around, head)
        return self.add(Join(pair, op=self.pick(["Add", "Add", "Sub", "Sum"]), variant=self._variant()))

    def _join(self, head: int) -> int:
        """With another value that fits, or with another quantiser of the same one."""
        mine = self.values[head]
        op = self.pick(["Add", "Sub", "Sum", "Concat", "Concat", "Concat"])
        others = [
            place
            for place, value in enumerate(self.values)
            if value.state in ("levels", "sum", "pending") and not value.pooled
            if (value.shape[1:] == mine.shape[1:] if op == "Concat" else value.shape == mine.shape)
        ]
        other = self.pick(others)
        if self.chance(0.3) or (other == head and op != "Concat"):
            other = self._quantised(other)
        sources = [head, other] if self.chance(0.5) else [other, head]
        if op in ("Sum", "Concat") and self.chance(0.2):
            sources.append(self.pick(others))
        return self.add(Join(tuple(sources), op=op, variant=self._variant()))

    def _pool(self, head: int) -> int:
        shape = self.values[head].shape
        sizes = shape[1:]
        if len(sizes) not in (1, 2):
            return self._quantised(head)
        if self.chance(0.3):
            names = ["GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"]
            return self.add(GlobalPool((head,), op=self.pick(names), keep=self.chance(0.5)))
        op = self.pick(["MaxPool", "MaxPool", "AveragePool"])
        kernel = tuple(min(int(self.pick([1, 2, 2, 3])), size) for size in sizes)
        strides = tuple(int(self.pick([1, 2, 2, 3])) for _ in sizes) if self.chance(0.8) else ()
        pads: Shape = ()
        if self.chance(0.25) and min(kernel) > 1:
            pads = tuple(int(each) for each in self.random.integers(0, min(kernel), 2 * len(sizes)))
        auto_pad = self.pick(["SAME_UPPER", "SAME_LOWER", "VALID"]) if not pads and self.chance(0.15) else ""
        return self.add(
            Pool(
                (head,),
                op=op,
                kernel=kernel,
                strides=strides,
                pads=pads,
                auto_pad=auto_pad,
                total=self.chance(0.3),
            )
        )

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

    def _end(self, head: int) -> None:
        """A layer if there was none, operators of the host at times, and the index of the largest."""
        if not any(isinstance(step, Quantise) for step in self.steps):
            head = self._quantised(head)
        layers = any(isinstance(step, Dense | Convolve) for step in self.steps)
        if self.values[head].linear and (not layers or self.chance(0.6)):
            head = self._layer(head)
        if self.values[head].pooled:
            head = self._quantised(head)
        for _ in range(int(self.pick([0, 0, 0, 1, 2]))):
            head = self._pointwise(head)
        if self.chance(0.08):
            head = self._float_layer(head)
        if len(self.values[head].shape) == 1 and self.chance(0.3):
            if self.chance(0.5) and self.values[head].uniform:
                self.argmax = True
            else:
                head = self.add(Largest((head,), op=self.pick(["ArgMax", "TopK"]), keep=self.chance(0.5)))
        if head != len(self.values) - 1:
            self.add(Pointwise((head,)))


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
