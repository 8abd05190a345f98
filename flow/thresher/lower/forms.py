"""The forms that a tensor of the ONNX model can have on its way into hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.graph import Array
from thresher.ir.integer import Doubles, Ints, TensorType
from thresher.ir.quant import Arithmetic, Layout, Negate, QuantNode, Transpose
from thresher.ir.quant_joins import Pick
from thresher.ir.quant_maps import GlobalPool, MaxPool
from thresher.ir.quantisers import Quantiser
from thresher.lower.one_product import OneProduct
from thresher_sim.streams import IntType

Namer = Callable[[str], str]
"""Gives the next name that begins with a stem."""
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
# The host takes zero points off in float32.
_MOST_ZERO = 1 << 24


@dataclass(frozen=True, eq=False)
class Pending:
    """Integers of the hardware, and what the model has done with their real values since.

    A frame of the integer tensor `tensor` is `vectors` times `channels` elements of type `element`; those
    of channel c lie in `lo[c]..hi[c]` and mean `scale[c] * (q - zero[c]) + offset[c]`, which in the model is
    `onnx_tensor`; without an `offset` it is 0. `index` has the shape of a frame of that ONNX tensor and holds
    the stream position of every element, `vector * channels + channel`; vectors lie along its `pixel_axes`.

    `steps` are the operators applied since, which lead from `onnx_tensor` on; none of them is a quantiser,
    and with no steps this is what the design calls an Integer. Some may be deferred: see `is_deferred`.
    `slack` bounds, channel by channel, how far the order of float32 additions can take the model's own value
    from the exact one; None where every order is exact. `sums` says that the integers are sums, which no
    quantiser has narrowed. `error` bounds, channel by channel, how far fixed point has taken what the
    integers mean from the model's value; None where it is exact. Integers of channel c are `lo[c]` and
    multiples of `stride` above it: signs and their sums are two apart. `product` is what is known of sums
    of a single product.

    Where a form belongs to a tensor of the model, its integers mean every element of `onnx_tensor`, within
    `slack` and `error`: that is what a verification compares, and where the host takes over. Sums of an
    average are the one exception: `onnx_tensor` is the average, whose division is the first of the `steps`.
    Integers that mean no tensor of the model, such as the largest sum of a window whose bias is yet to be
    added, have a form only on the way into one operator.
    """

    tensor: str
    onnx_tensor: str
    element: IntType
    lo: Ints
    hi: Ints
    scale: Doubles
    zero: Ints
    index: Ints
    pixel_axes: tuple[int, ...] = ()
    steps: tuple[QuantNode, ...] = ()
    slack: Doubles | None = None
    sums: bool = False
    offset: Doubles | None = None
    error: Doubles | None = None
    stride: int = 1
    product: OneProduct | None = None

    @property
    def size(self) -> int:
        """Elements of a frame."""
        return self.index.size

    @property
    def channels(self) -> int:
        """Elements of a vector."""
        return len(self.lo)

    @property
    def vectors(self) -> int:
        """Vectors of a frame."""
        return self.size // self.channels

    @property
    def type(self) -> TensorType:
        """The type of the integer tensor."""
        return TensorType(self.element, self.vectors, self.channels)

    @property
    def onnx_nodes(self) -> tuple[str, ...]:
        """The ONNX nodes that wait for a quantiser."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.onnx_nodes))

    @property
    def sample(self) -> Ints:
        """`index` of the first vector alone: the channel of each of its elements."""
        first = (slice(0, 1) if axis in self.pixel_axes else slice(None) for axis in range(self.index.ndim))
        return self.index[tuple(first)]

    def then(self, node: QuantNode) -> Pending:
        """This, with one more operator applied."""
        return replace(self, steps=(*self.steps, node))

    def values(self, q: Ints, dtype: np.dtype[np.floating] = FLOAT32, slacks: float = 0.0) -> Array:
        """The real values `[m, *sample]` that the model has for the integers `q`, `[m, channels]`.

        The product with the scale is exact before it is rounded to `dtype`; each step then rounds
        as it does in the model. `slacks` times `slack` is added first. A sum of a single product has no
        slack, and in float32 it is rounded as the model rounds it.
        """
        exact = (q - self.zero) * self.scale
        if self.offset is not None:
            exact = exact + self.offset
        alone = self.known_product
        if slacks and self.slack is not None:
            exact = exact + slacks * (self.slack if alone is None else np.where(alone.weights, 0, self.slack))
        rounded: Array = exact.astype(dtype)
        if alone is not None and dtype == FLOAT32:
            rounded = alone.values(q, rounded)
        value: Array = rounded[:, self.sample]
        for step in self.steps:
            value = _through(step, value)
        return value

    @property
    def known_product(self) -> OneProduct | None:
        """`product`, unless the integers have come to mean something else since."""
        product = self.product
        as_it_was = product is not None and self.offset is None and product.means(self.scale, self.zero)
        return product if as_it_was else None

    def at_or_above(self, bounds: Ints) -> Ints:
        """The least integers `[channels, n]` that can be, each not below one of `bounds`."""
        lo = self.lo[:, None]
        result: Ints = lo - (lo - bounds) // self.stride * self.stride
        return result

    def final_index(self) -> Ints:
        """`index` for the tensor after all steps, of which none is deferred."""
        return _moved(self.index, self.steps)

    def final_sample(self) -> Ints:
        """`sample` for the tensor after all steps."""
        return _moved(self.sample, self.steps)

    def final_axes(self) -> tuple[int, ...]:
        """`pixel_axes` for the tensor after all steps."""
        return _moved_axes(self.pixel_axes, self.steps, self.index.ndim)

    def rescaled(self) -> float | None:
        """The factor by which the steps multiply every element, None where they or an offset do more."""
        if self.offset is not None:
            return None
        factor = 1.0
        for step in self.steps:
            if isinstance(step, Arithmetic) and step.rescale is not None:
                factor *= step.rescale
            elif isinstance(step, Negate):
                factor = -factor
            elif not isinstance(step, Layout):
                return None
        return factor

    @property
    def summable(self) -> bool:
        """Whether its integers add up to those of a sum: its steps multiply every element by one factor."""
        return replace(self, offset=None).rescaled() is not None

    def in_place(self) -> Pending:
        """This with all its steps, which only move elements, taken into `index`."""
        moved = replace(self, index=self.final_index(), steps=())
        return replace(moved, pixel_axes=self.final_axes())

    def whole(self) -> Pending:
        """The same integers as one vector, so that every element is a channel of its own."""
        if self.vectors == 1:
            return replace(self, pixel_axes=())
        return self.with_channels(np.tile(np.arange(self.channels), self.vectors), ())

    def with_channels(self, channels: Ints, pixel_axes: tuple[int, ...]) -> Pending:
        """This with what is known of `channels`, one after the other, and vectors along `pixel_axes`."""
        return replace(
            self,
            lo=self.lo[channels],
            hi=self.hi[channels],
            scale=self.scale[channels],
            zero=self.zero[channels],
            slack=None if self.slack is None else self.slack[channels],
            offset=None if self.offset is None else self.offset[channels],
            error=None if self.error is None else self.error[channels],
            product=None if self.product is None else self.product.taking(channels),
            pixel_axes=pixel_axes,
        )

    @property
    def alike(self) -> bool:
        """Whether the steps do the same to every vector: their constants leave the shape of one as it is."""
        if self.vectors == 1 and not any(is_deferred(step) for step in self.steps):
            return True
        try:
            with np.errstate(all="ignore"):
                return self.values(self.lo[None]).shape == (1, *self.final_sample().shape)
        except ValueError:
            return False

    def uniform(self, quantiser: Quantiser) -> bool:
        """Whether the steps and `quantiser` do the same to every vector."""
        if not self.alike:
            return False
        with np.errstate(all="ignore"):
            values = self.values(self.lo[None])
            if self.vectors == 1:
                return True
            shapes = (quantiser.levels(values).shape, quantiser.scale.shape, quantiser.zero.shape)
            return np.broadcast_shapes(values.shape, *shapes) == values.shape

    def by_vector(self) -> Pending:
        """This, or where its steps treat vectors differently the same as one vector."""
        return self if self.alike else self.whole()


def is_largest(step: QuantNode) -> bool:
    """Whether a step takes the largest of some elements, which commutes with a rising function."""
    return isinstance(step, MaxPool) or (isinstance(step, GlobalPool) and step.largest)


def is_deferred(step: QuantNode) -> bool:
    """Whether a step of a form is one that integers are taken through later than the model takes its values.

    A pool that takes the largest commutes with the rising functions behind it, and picking elements with
    those that are the same for all. So they wait for a quantiser, whose integers have fewer bits; for what
    needs integers before one comes, they are done on those that there are.
    """
    return is_largest(step) or isinstance(step, Pick)


@dataclass(frozen=True, eq=False)
class Repeat(Pick):
    """A Pick that repeats every pixel, `factors` times along each axis of a frame, and no channel."""

    factors: tuple[int, ...]


def _through(step: QuantNode, value: Array) -> Array:
    """What a step makes of values `[m, *sample]`, where a deferred one is as good as done."""
    if _drops_axes(step, value.shape):
        return value.reshape(value.shape[:2])
    return value if is_deferred(step) else step.apply(value)


def _drops_axes(step: QuantNode, shape: tuple[int, ...]) -> bool:
    """Whether a pool of the whole map drops axes that have one element each."""
    global_pool = isinstance(step, GlobalPool) and step.largest and not step.keep
    return global_pool and all(size == 1 for size in shape[2:])


def _moved(index: Ints, steps: tuple[QuantNode, ...]) -> Ints:
    batch = index[None]
    for step in steps:
        if isinstance(step, Layout) or _drops_axes(step, batch.shape):
            batch = _through(step, batch)
    frame: Ints = batch[0]
    return frame


def _moved_axes(axes: tuple[int, ...], steps: tuple[QuantNode, ...], rank: int) -> tuple[int, ...]:
    """The axes of a frame after `steps`, in the order of those before them."""
    if not axes:
        return ()
    places = list(range(rank))
    for step in steps:
        if isinstance(step, Transpose):
            places = [places[axis - 1] for axis in step.axes[1:]]
    return tuple(places.index(axis) for axis in axes)


@dataclass(frozen=True, eq=False)
class OnHost:
    """Floats that only the host has: ahead of the hardware, or after it, because of `cause`."""

    after_hardware: bool
    cause: QuantNode | None = None


@dataclass(frozen=True, eq=False)
class Chosen:
    """The class index that an IntArgMax found: an integer tensor of type `element`."""

    tensor: str
    element: IntType


Form = Pending | OnHost | Chosen


def to_stream(values: Array, index: Ints) -> Array:
    """Put one value per ONNX element (broadcast to the frame's shape) into stream order."""
    result = np.empty(index.size, values.dtype)
    result[index.reshape(-1)] = np.broadcast_to(values, (1, *index.shape)).reshape(-1)
    return result


def stream_order(shape: tuple[int, ...], pixel_axes: tuple[int, ...] = ()) -> Ints:
    """The stream positions of a frame of `shape` whose vectors lie along `pixel_axes`, row-major.

    Within a vector the elements are in the order of the other axes; without pixel axes the frame is one
    vector, sent as ONNX stores it.
    """
    order = (*pixel_axes, *(axis for axis in range(len(shape)) if axis not in pixel_axes))
    positions = np.arange(int(np.prod(shape)), dtype=np.int64).reshape([shape[axis] for axis in order])
    return np.ascontiguousarray(positions.transpose(np.argsort(order)))


def integer(
    tensor: str,
    onnx_tensor: str,
    element: IntType,
    scale: Doubles,
    zero: Ints,
    index: Ints,
    pixel_axes: tuple[int, ...] = (),
) -> Pending:
    """Integers that may take every value of their type; `scale` and `zero` are per channel."""
    lo, hi = (np.full(scale.size, bound, np.int64) for bound in (element.lo, element.hi))
    return Pending(
        tensor=tensor,
        onnx_tensor=onnx_tensor,
        element=element,
        lo=lo,
        hi=hi,
        scale=scale.reshape(-1),
        zero=zero.reshape(-1),
        index=index,
        pixel_axes=pixel_axes,
        stride=2 if element.bipolar else 1,
    )


def zero_or_offset(scale: Doubles, offset: Doubles) -> tuple[Ints, Doubles | None]:
    """The zero points that are the same as `offset`, exactly, else none and the offset."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steps = np.where(offset == 0, 0.0, np.rint(-offset / scale))
        whole = bool(((np.abs(steps) < _MOST_ZERO) & (-steps * scale == offset)).all())
    zero: Ints = steps.astype(np.int64) if whole else np.zeros(len(steps), np.int64)
    return zero, None if whole else offset


def rescaling(form: Pending, reader: QuantNode) -> float:
    """The factor by which the model multiplies the integers before `reader`, which takes integers.

    Raises:
        NodeError: The model does more to them than that.
    """
    factor = form.rescaled()
    if factor is None:
        before = f"node '{form.steps[-1].name}'" if form.steps else "the sum before it"
        reason = f"it needs a quantiser between {before} and itself"
        raise NodeError("lower", reader.name, reason, "quantise its input, as Brevitas' QuantIdentity does")
    return factor


def rounding_slack(weights: Ints, form: Pending, scale: Doubles, rounded: bool = False) -> Doubles | None:
    """How far the model's float32 sums `[rows]` can be from exact ones; None where none can be.

    `weights` `[rows, ...]` multiply integers of `form`, and `scale` is that of each row's sum. Sums of
    integers times a power of two are exact in any order. Else each of the products and partial sums
    rounds by at most 2**-24 of the sum of magnitudes (N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, section 4.2). With `rounded` the model's own weights are these to within 2**-22 of the
    largest of their row.
    """
    reals = np.concatenate([np.ravel(scale), form.scale[:1]])
    most = max(abs(form.element.lo), abs(form.element.hi))
    magnitudes = np.abs(weights).sum(axis=1) * most
    if not rounded and (np.frexp(reals)[0] == 0.5).all() and magnitudes.max() < 1 << 24:
        return None
    bound: Doubles = (weights.shape[1] + 2) * 2.0**-24 * magnitudes * np.abs(scale)
    if rounded:
        bound += weights.shape[1] * 2.0**-22 * np.abs(weights).max(axis=1) * most * np.abs(scale)
    return bound
