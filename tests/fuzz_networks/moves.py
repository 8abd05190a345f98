"""Operators that move, pick or repeat elements, and joins of several tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.fuzz_networks.values import Array, Emitter, Shape, State, Step, Value, require

LAYOUTS = ("flatten", "reshape", "transpose", "squeeze", "unsqueeze", "shuffle", "turn", "fold")
PICKS = ("Slice", "Split", "Gather", "Resize", "SpaceToDepth", "DepthToSpace")


@dataclass(frozen=True)
class Move(Step):
    """A change of layout: `kind` is one of `LAYOUTS`, `variant` the way in which it is written."""

    kind: str = "flatten"
    variant: int = 0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write it."""
        (x,) = inputs
        emitter.labels[f"layout {self.kind}"] += 1
        name, shape = getattr(self, f"_{self.kind}")(emitter, x)
        spread = x.spread if shape[:1] == x.shape[:1] else np.array([x.typical])
        if self.kind == "turn" or (self.kind != "shuffle" and shape[:1] != x.shape[:1]):
            spread = np.array([x.typical])
        return replace(x, name=name, shape=shape, spread=spread)

    def _reshaped(self, emitter: Emitter, x: str, shape: Shape) -> str:
        target = [1, *shape]
        if self.variant % 3 == 1:
            target[0] = 0
        if self.variant % 3 == 2:
            target[-1] = -1
        return emitter.node("Reshape", x, emitter.constant(target, np.int64))

    def _flatten(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        axis = (None, 1, -len(x.shape))[self.variant % 3]
        if emitter.style.opset < 11:
            axis = None
        return emitter.node("Flatten", x.name, axis=axis), (int(np.prod(x.shape)),)

    def _reshape(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        shape = (int(np.prod(x.shape)),)
        return self._reshaped(emitter, x.name, shape), shape

    def _fold(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        """A vector as a map of as many channels as there are."""
        require(len(x.shape) == 1, "a vector is folded")
        count = x.shape[0]
        rows = next(size for size in (4, 3, 2, 1) if count % size == 0)
        shape = (count // rows, rows) if self.variant % 2 else (count // rows, 1, rows)
        return self._reshaped(emitter, x.name, shape), shape

    def _transpose(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        """Channels last and back, with an operator between that does nothing."""
        require(len(x.shape) > 1, "a map is transposed")
        rank = len(x.shape)
        last = emitter.node("Transpose", x.name, perm=[0, *range(2, rank + 1), 1])
        if self.variant % 2:
            last = emitter.node("Identity", last)
        return emitter.node("Transpose", last, perm=[0, rank, *range(1, rank)]), x.shape

    def _turn(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        """Height and width exchanged, or all axes of a frame in reverse."""
        require(len(x.shape) > 1, "a map is turned")
        rank = len(x.shape)
        order = [0, *range(rank, 0, -1)] if self.variant % 3 == 0 else [0, 1, *range(rank, 1, -1)]
        return emitter.node("Transpose", x.name, perm=order), tuple(x.shape[axis - 1] for axis in order[1:])

    def _squeeze(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        ones = [axis for axis, size in enumerate(x.shape, start=1) if size == 1]
        require(bool(ones), "there is nothing to squeeze")
        axes = ones[-1:] if self.variant % 2 else ones
        if len(axes) == len(x.shape):
            axes = axes[1:]
        require(bool(axes), "a frame keeps an axis")
        left = tuple(size for axis, size in enumerate(x.shape, start=1) if axis not in axes)
        return self._with_axes(emitter, "Squeeze", x.name, axes), left

    def _unsqueeze(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        axis = len(x.shape) + 1
        name = self._with_axes(emitter, "Unsqueeze", x.name, [axis if self.variant % 2 else -1])
        return name, (*x.shape, 1)

    def _with_axes(self, emitter: Emitter, op: str, x: str, axes: list[int]) -> str:
        """The axes are an attribute before opset 13; negative ones came with 11."""
        if min(axes) < 0:
            emitter.needs(11)
        if emitter.style.opset < 13:
            return emitter.node(op, x, axes=axes)
        return emitter.node(op, x, emitter.constant(axes, np.int64))

    def _shuffle(self, emitter: Emitter, x: Value) -> tuple[str, Shape]:
        """Channels of groups by turns, as ShuffleNet has it."""
        count, *sizes = x.shape
        groups = next((size for size in (2, 3, 5) if count % size == 0 and count > size), 0)
        require(groups > 0, "channels do not divide")
        split = [1, groups, count // groups, *sizes]
        name = emitter.node("Reshape", x.name, emitter.constant(split, np.int64))
        name = emitter.node("Transpose", name, perm=[0, 2, 1, *range(3, len(split))])
        return emitter.node("Reshape", name, emitter.constant([1, count, *sizes], np.int64)), x.shape


@dataclass(frozen=True)
class Pick(Step):
    """Some channels, or pixels repeated."""

    kind: str = "Slice"
    variant: int = 0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write it."""
        (x,) = inputs
        require(not x.pooled, "what is picked from is no pool that waits")
        emitter.labels[f"pick {self.kind}"] += 1
        if self.kind in ("Slice", "Gather", "Split"):
            name, channels = getattr(self, f"_{self.kind.lower()}")(emitter, x)
            spread = x.spread if len(x.spread) == 1 else x.spread[channels]
            return replace(x, name=name, shape=(len(channels), *x.shape[1:]), spread=spread)
        if self.kind == "Resize":
            return self._resize(emitter, x)
        return self._blocks(emitter, x)

    def _slice(self, emitter: Emitter, x: Value) -> tuple[str, Array]:
        count, random = x.shape[0], self.random()
        first, last = sorted(int(each) for each in random.integers(0, count + 1, 2))
        first, last = (0, count) if first == last else (first, last)
        places = np.arange(count)[first:last]
        if emitter.style.opset < 10:
            return emitter.node("Slice", x.name, axes=[1], starts=[first], ends=[last]), places
        if self.variant % 2:
            end = first - count - 1
            bounds, places, stride = (last - 1, end), places[::-1], -1
        else:
            bounds, stride = (first, last if last < count else 2**31), 1
        values = [[bounds[0]], [bounds[1]], [1], [stride]]
        return emitter.node("Slice", x.name, *(emitter.constant(v, np.int64) for v in values)), places

    def _split(self, emitter: Emitter, x: Value) -> tuple[str, Array]:
        count = x.shape[0]
        require(count > 1, "one channel is not split")
        first = int(self.random().integers(1, count))
        sizes = [first, count - first]
        if emitter.style.opset < 13:
            names = emitter.several("Split", x.name, outputs=2, axis=1, split=sizes)
        else:
            names = emitter.several("Split", x.name, emitter.constant(sizes, np.int64), outputs=2, axis=1)
        taken = self.variant % 2
        return names[taken], np.split(np.arange(count), [first])[taken]

    def _gather(self, emitter: Emitter, x: Value) -> tuple[str, Array]:
        count, random = x.shape[0], self.random()
        places = random.integers(0, count, int(random.integers(1, count + 2)))
        given = places - count * (self.variant % 2) if emitter.style.opset >= 11 else places
        axis = 1 if self.variant % 3 else -len(x.shape)
        return emitter.node("Gather", x.name, emitter.constant(given, np.int64), axis=axis), places

    def _resize(self, emitter: Emitter, x: Value) -> Value:
        require(len(x.shape) > 1, "a map is resized")
        opset, random = emitter.style.opset, self.random()
        factors = [int(each) for each in random.integers(1, 3, len(x.shape) - 1)]
        shape = (x.shape[0], *(size * factor for size, factor in zip(x.shape[1:], factors, strict=True)))
        scales = emitter.constant([1, 1, *factors])
        if opset < 11:
            name = emitter.node("Upsample" if opset < 10 else "Resize", x.name, scales, mode="nearest")
            return replace(x, name=name, shape=shape)
        attributes: dict[str, Any] = {"mode": "nearest", "nearest_mode": "floor"}
        attributes["coordinate_transformation_mode"] = "asymmetric"
        roi = emitter.constant(np.zeros(0)) if opset < 13 else ""
        if self.variant % 2:
            sizes = emitter.constant([1, *shape], np.int64)
            unused = emitter.constant(np.zeros(0)) if opset < 13 else ""
            name = emitter.node("Resize", x.name, roi, unused, sizes, **attributes)
        else:
            name = emitter.node("Resize", x.name, roi, scales, **attributes)
        return replace(x, name=name, shape=shape)

    def _blocks(self, emitter: Emitter, x: Value) -> Value:
        """Pixels to channels, or channels to pixels; the hardware refuses most of these."""
        require(len(x.shape) == 3, "a map of two dimensions")
        channels, height, width = x.shape
        if self.kind == "SpaceToDepth":
            require(height % 2 == 0 and width % 2 == 0, "the map does not divide")
            shape = (channels * 4, height // 2, width // 2)
        else:
            require(channels % 4 == 0, "the channels do not divide")
            shape = (channels // 4, height * 2, width * 2)
        name = emitter.node(self.kind, x.name, blocksize=2)
        return replace(x, name=name, shape=shape, spread=np.array([x.typical]))


@dataclass(frozen=True)
class Join(Step):
    """Add, Sub, Sum or Concat of several values."""

    op: str = "Add"
    variant: int = 0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write it."""
        require(not any(x.pooled or x.state in ("index", "float") for x in inputs), "what is joined")
        emitter.labels[f"join {self.op}"] += 1
        names, first = [x.name for x in inputs], inputs[0]
        steps = {x.step for x in inputs}
        levels = all(x.state == "levels" and x.uniform for x in inputs) and None not in steps
        state: State = "levels" if levels else "pending"
        if self.op == "Concat":
            require(len({x.shape[1:] for x in inputs}) == 1, "maps differ")
            axis = 1 if self.variant % 2 == 0 or emitter.style.opset < 11 else -len(first.shape)
            spread = np.concatenate([np.broadcast_to(x.spread, x.shape[:1]) for x in inputs])
            shape = (sum(x.shape[0] for x in inputs), *first.shape[1:])
            most, one = max(x.most for x in inputs), len(steps) == 1
            name = emitter.node("Concat", *names, axis=axis)
            return Value(name, shape, state, spread, most, first.step if one else None, levels)
        require(len({x.shape for x in inputs}) == 1, "shapes differ")
        spread = np.sqrt(np.sum([np.broadcast_to(x.spread, x.shape[:1]) ** 2 for x in inputs], axis=0))
        low = min(x.step for x in inputs if x.step is not None) if levels else 1.0
        most = sum(x.most * (x.step or 1.0) / low for x in inputs)
        return Value(emitter.node(self.op, *names), first.shape, state, spread, most, None, levels)


@dataclass(frozen=True)
class Largest(Step):
    """The index of the largest element of a vector: ArgMax, or TopK with k = 1."""

    op: str = "ArgMax"
    keep: bool = True

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write it."""
        (x,) = inputs
        require(len(x.shape) == 1 and not x.pooled, "the index of a vector's largest")
        emitter.labels[f"end {self.op}"] += 1
        if self.op == "ArgMax":
            name = emitter.node("ArgMax", x.name, axis=1, keepdims=int(self.keep))
            shape: Shape = (1,) if self.keep else ()
        else:
            emitter.needs(10)
            names = emitter.several("TopK", x.name, emitter.constant([1], np.int64), outputs=2, axis=1)
            name, shape = names[1], (1,)
        return Value(name, shape, "index", np.ones(1))
