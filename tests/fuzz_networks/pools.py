"""Pools of windows and of whole maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.fuzz_networks.layers import output_sizes
from tests.fuzz_networks.values import Emitter, Shape, State, Step, Value, require


@dataclass(frozen=True)
class Pool(Step):
    """The largest, or the mean, of windows."""

    op: str = "MaxPool"
    kernel: Shape = (1, 1)
    strides: Shape = ()
    pads: Shape = ()
    auto_pad: str = ""
    total: bool = False

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the pool; a `total` is the mean times how many elements there are, as Brevitas writes it."""
        (x,) = inputs
        channels, *sizes = x.shape
        require(len(sizes) == len(self.kernel) and not x.pooled, "the kernel does not fit")
        require(not self.pads or max(self.pads) < min(self.kernel), "windows of padding only")
        if self.auto_pad.startswith("SAME"):
            beyond = any(s > k for s, k in zip(self.strides, self.kernel, strict=False))
            require(not beyond, "onnxruntime pools no map that is cropped")
        result = output_sizes(sizes, self.kernel, self.strides, (), self.pads, self.auto_pad)
        mean = self.op == "AveragePool"
        name = emitter.node(
            self.op,
            x.name,
            kernel_shape=list(self.kernel),
            strides=list(self.strides) or None,
            pads=None if self.auto_pad else list(self.pads) or None,
            auto_pad=self.auto_pad or None,
            count_include_pad=int(mean and (bool(self.pads) or self.auto_pad.startswith("SAME"))) or None,
        )
        emitter.labels[
            f"pool {self.op} {len(self.kernel)}-D{' padded' * bool(self.pads or self.auto_pad)}"
        ] += 1
        shape, taps = (channels, *result), int(np.prod(self.kernel))
        if not mean:
            return _largest(x, name, shape)
        averaged = _averaged(x, name, shape, taps)
        if not self.total or x.step is None or x.state != "levels":
            return averaged
        name = emitter.node("Mul", name, emitter.constant(taps))
        emitter.labels["pool AveragePool times its taps"] += 1
        spread = averaged.spread * taps
        return replace(averaged, name=name, state="sum", spread=spread, step=x.step, most=x.most * taps)


@dataclass(frozen=True)
class GlobalPool(Step):
    """The mean, or the largest, of a whole map."""

    op: str = "GlobalMaxPool"
    keep: bool = True

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the pool; the axes of a reduction are an attribute before opset 18."""
        (x,) = inputs
        require(len(x.shape) > 1 and not x.pooled, "a map is pooled")
        rank = len(x.shape) - 1
        keep = self.keep or self.op.startswith("Global")
        shape = (x.shape[0], *[1] * rank) if keep else x.shape[:1]
        axes = [-place for place in range(1, rank + 1)] if self.seed % 2 else list(range(2, rank + 2))
        if self.op.startswith("Global"):
            name = emitter.node(self.op, x.name)
        elif emitter.style.opset >= 18:
            name = emitter.node(self.op, x.name, emitter.constant(axes, np.int64), keepdims=int(keep))
        else:
            name = emitter.node(self.op, x.name, axes=axes, keepdims=int(keep))
        emitter.labels[f"pool {self.op}"] += 1
        if self.op in ("GlobalAveragePool", "ReduceMean"):
            return _averaged(x, name, shape, int(np.prod(x.shape[1:])))
        return _largest(x, name, shape)


def _averaged(x: Value, name: str, shape: Shape, taps: int) -> Value:
    spread = x.spread / np.sqrt(taps)
    state: State = "float" if x.state == "float" else "pending"
    return replace(x, name=name, shape=shape, state=state, spread=spread, step=None)


def _largest(x: Value, name: str, shape: Shape) -> Value:
    waits = x.state in ("sum", "pending")
    return replace(x, name=name, shape=shape, pooled=waits, state="pending" if waits else x.state)
