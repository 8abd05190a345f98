"""The walk from the imported network to the integer network, node by node, in order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.custom import Custom
from thresher.ir.integer import Flags, IntArgMax, IntNode, Ints, IntThreshold, TensorType, count_reached
from thresher.ir.quant import (
    ArgMax,
    FloatLinear,
    HostOnly,
    Layout,
    Linear,
    QuantGraph,
    QuantNode,
    Refused,
    Reshape,
)
from thresher.ir.quant_joins import Concat, Join, Pick, Sum
from thresher.ir.quant_maps import AveragePool, Conv, FloatConv, GlobalPool, MaxPool
from thresher.ir.quantisers import Quantiser
from thresher.lower.concats import concatenate
from thresher.lower.custom import lower_custom
from thresher.lower.deferred import commuted, first_deferred, on_integers
from thresher.lower.entry import enter, per_channel
from thresher.lower.forms import Chosen, Form, OnHost, Pending, Repeat, integer, is_deferred, is_largest
from thresher.lower.join_parts import Joined
from thresher.lower.lowered import Approximation
from thresher.lower.maps import add_up, take_largest, with_own_padding
from thresher.lower.picks import absorbs, in_order, needs_integers, needs_one_scale, pick, repeating
from thresher.lower.products import average, convolve, divide, multiply
from thresher.lower.settle import ends_in_float, needs_hardware, settle, settle_on_host, stays_on_host
from thresher.lower.staircase import falls_before, find_staircase, of_two_levels
from thresher.lower.sums import add
from thresher.lower.tail import same_order
from thresher_sim.streams import IntType

ADD_BITS = 16
"""Bits of sums in fixed point, where nothing else is asked for."""

FLOAT_REMEDY = (
    "quantise them, as Brevitas' QuantLinear or QuantConv2d with a weight_quant does, or build with "
    "--quantize-float 8"
)
_MAX_OUTPUT_BITS = 8
MOST_STEPS = 256
"""Operators that may stand between a layer and the quantiser behind it."""


@dataclass(frozen=True, eq=False)
class JoinResult:
    """What a join gave, and the ONNX node that alone reads it in place of the model's tensor, if any does."""

    result: Pending
    approximation: Approximation | None
    reader: str | None


@dataclass
class Lowering:
    """What has been lowered so far: integer nodes, and the form of every ONNX tensor.

    `entry` is where integers enter the hardware. Sums in fixed point have `add_bits` bits, and are listed
    as `approximations`; `joined` are all joins with what they give.
    """

    graph: QuantGraph
    add_bits: int = ADD_BITS
    forms: dict[str, Form] = field(default_factory=dict)
    nodes: list[IntNode] = field(default_factory=list)
    entry: Pending | None = None
    approximations: list[Approximation] = field(default_factory=list)
    joined: list[JoinResult] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    undeferred: dict[tuple[Pending, bool], Pending] = field(default_factory=dict)

    def begin(self, input_type: IntType | None, input_scale: float) -> None:
        """Give the model's input its form: integers of the hardware, or floats of the host."""
        name = self.graph.inputs[0]
        if input_type is None:
            self.forms[name] = OnHost(after_hardware=False)
            return
        scale, zero = np.asarray(input_scale, np.float64), np.zeros((), np.int64)
        self.entry = enter(self.graph, name, input_type, scale, zero)
        self.forms[name] = self.entry

    def take(self, node: QuantNode) -> None:
        """Lower one node.

        Raises:
            NodeError: It cannot be hardware where it stands.
        """
        form = self._joined_form(node)
        for output in node.outputs:
            self.forms[output] = form if isinstance(node, Join) else self._form_after(node, form)

    def _joined_form(self, node: QuantNode) -> Form:
        """The form of what `node` reads; with several inputs only the host can take it."""
        if isinstance(node, Refused):
            raise NodeError("import", node.name, node.reason, node.remedy)
        forms = [self.forms[name] for name in node.inputs]
        if len(forms) == 1:
            return forms[0]
        pending = [form for form in forms if isinstance(form, Pending)]
        if isinstance(node, Join) and len(pending) == len(forms):
            return self._join(node, pending)
        return OnHost(after_hardware=any(_in_hardware(form) for form in forms), cause=node)

    def _join(self, node: Join, forms: Sequence[Pending]) -> Form:
        """What the hardware cannot join is the host's where no quantised layer follows."""
        try:
            return self._joined(node, forms)
        except NodeError:
            if not ends_in_float(node, self.graph):
                raise
            return OnHost(after_hardware=True, cause=node)

    def _joined(self, node: Join, forms: Sequence[Pending], reader: str | None = None) -> Pending:
        forms = [self._undeferred(form) for form in forms]
        if isinstance(node, Sum):
            made = add(node, forms, self.add_bits, self._named)
        else:
            assert isinstance(node, Concat)
            made = concatenate(
                node, forms, self.add_bits, self._named, needs_one_scale(self.graph, node.output)
            )
        self._note(made, reader)
        return self._add(made.nodes, made.result)

    def _note(self, made: Joined, reader: str | None) -> None:
        """Note what a join gives; the ONNX node `reader` alone reads it, or all do that read its output."""
        if made.approximation is not None:
            self.approximations.append(made.approximation)
        self.joined.append(JoinResult(made.result, made.approximation, reader))

    def _form_after(self, node: QuantNode, form: Form) -> Form:
        if isinstance(form, OnHost):
            return self._after_host(node, form)
        if isinstance(form, Chosen) or isinstance(node, HostOnly):
            return OnHost(after_hardware=True, cause=node)
        return self._lower(node, form)

    def _lower(self, node: QuantNode, form: Pending) -> Form:
        """What a node of the hardware gives; elementwise ones wait for a quantiser."""
        if len(form.steps) >= MOST_STEPS:
            reason = f"more than {MOST_STEPS} operators in a row wait for a quantiser"
            raise NodeError("lower", node.name, reason, "fold them before the export, or quantise in between")
        match node:
            case Quantiser() if stays_on_host(node, self.graph):
                return OnHost(after_hardware=True, cause=node)
            case Quantiser():
                return self._threshold(node, form)
            case Reshape():
                return self._reshape(node, form)
            case FloatLinear() | FloatConv():
                return OnHost(after_hardware=True, cause=node)
            case ArgMax():
                return self._choose_last(node, form)
        return self._compute(node, form) or form.then(node)

    def _compute(self, node: QuantNode, form: Pending) -> Form | None:
        """What an operator gives that works on integers; None for others."""
        match node:
            case Linear():
                return self._multiply(node, form)
            case Conv():
                return self._convolve(node, form)
            case AveragePool():
                return self._average(node, form)
            case MaxPool() | GlobalPool():
                return self._pool(node, form)
            case Custom() | Pick():
                return self._rearrange(node, form)
        return None

    def _rearrange(self, node: Custom | Pick, form: Pending) -> Form:
        if isinstance(node, Pick):
            return self._pick(node, form)
        made, result = lower_custom(node, form, self.graph.shapes[node.output], self._named("custom"))
        return self._add((made,), result)

    def _pick(self, node: Pick, form: Pending) -> Form:
        """Elements are picked of integers; of what scales and offsets cannot tell, on the quantised side.

        What the hardware cannot pick is the host's where no quantised layer follows.
        """
        if first_deferred(form) is not None:
            return form.then(node)
        node = repeating(node, form.final_index().shape, form.final_axes())
        moved = all(isinstance(step, Layout) for step in form.steps)
        if not (moved if isinstance(node, Repeat) else absorbs(form)):
            return form.then(node)
        try:
            return self._add(*pick(node, form, self._named))
        except NodeError:
            if not ends_in_float(node, self.graph):
                raise
            return OnHost(after_hardware=True, cause=node)

    def _choose_last(self, node: ArgMax, form: Pending) -> Form:
        """The model's own ArgMax is hardware where it is exact and nothing follows it."""
        chosen = self.choose(form, node) if node.output == self.graph.outputs[0] else None
        return chosen or OnHost(after_hardware=True, cause=node)

    def _after_host(self, node: QuantNode, form: OnHost) -> Form:
        """Floats stay with the host, up to the first quantiser."""
        if form.after_hardware:
            if needs_hardware(node) and form.cause is not None:
                raise _host_in_between(form.cause)
            return form
        if isinstance(node, Quantiser):
            return self._enter(node)
        if isinstance(node, Custom):
            reason = "it works on integers, and its input has met no quantiser"
            raise NodeError("lower", node.name, reason, "quantise its input, or build with an input type")
        if isinstance(node, HostOnly):
            return replace(form, cause=node)
        return form

    def _enter(self, node: Quantiser) -> Pending:
        """The first quantiser runs on the host; its integers enter the hardware."""
        if self.entry is not None:
            reason = "it is a second way into the hardware"
            remedy = "let the input meet one quantiser first, ahead of any branches"
            raise NodeError("lower", node.name, reason, remedy)
        node = settle_on_host(node)
        element = of_two_levels(node.element)
        if any(int(np.float32(end)) != end for end in (element.lo, element.hi)):
            reason = f"it gives {element.bits} bits, whose ends {element.lo} and {element.hi} no float32 is"
            raise NodeError("lower", node.name, reason, "quantise the input to at most 24 bits")
        self.entry = enter(self.graph, node.output, element, node.scale, node.zero)
        return self.entry

    def _add(self, nodes: tuple[IntNode, ...], result: Pending) -> Pending:
        self.nodes += nodes
        return result

    def _named(self, stem: str) -> str:
        """The next name that begins with `stem`."""
        self.names[stem] += 1
        return f"{stem}{self.names[stem] - 1}"

    def _multiply(self, node: Linear, form: Pending) -> Pending:
        made, result = multiply(node, self._undeferred(form), self._named("matmul"))
        return self._add((made,), result)

    def _convolve(self, node: Conv, form: Pending) -> Pending:
        stem = "depthwise" if node.depthwise else "matmul"
        form = self._undeferred(form)
        if node.groups > 1:
            form = self._add(*in_order(node, form, self._named))
        return self._add(*convolve(node, form, self._named("window"), self._named(stem)))

    def _average(self, node: AveragePool, form: Pending) -> Form:
        if not form.summable and ends_in_float(node, self.graph):
            return OnHost(after_hardware=True, cause=node)
        form = self._add(*in_order(node, self._summable(node, form), self._named))
        made, result = average(node, form, self._named("window"), self._named("depthwise"))
        return self._add(made, result).then(divide(node, node.window.taps))

    def _pool(self, node: MaxPool | GlobalPool, form: Pending) -> Form:
        """The largest is taken of a quantiser's integers; what has met none yet waits for the next if any."""
        if isinstance(node, GlobalPool) and not node.largest:
            if not form.summable and ends_in_float(node, self.graph):
                return OnHost(after_hardware=True, cause=node)
            made, result, pixels = add_up(node, self._summable(node, form), self._named("global_pool"))
            return self._add((made,), result).then(divide(node, pixels))
        node, factor = with_own_padding(node, form), form.rescaled()
        waits = form.sums and not needs_integers(self.graph, node.output)
        if waits or factor is None or factor <= 0:
            return form.then(node)
        return self._take_largest(node, form, None)

    def _summable(self, node: AveragePool | GlobalPool, form: Pending) -> Pending:
        """Integers to add up: where the model does more to them than multiply, on a grid of their own."""
        if form.summable:
            return form
        read = Sum(node.name, node.inputs, node.inputs, form.onnx_nodes, signs=(1,))
        return self._joined(read, [form], reader=node.onnx_nodes[-1])

    def _take_largest(self, node: MaxPool | GlobalPool, form: Pending, turned: Flags | None) -> Pending:
        stem = "global_pool" if isinstance(node, GlobalPool) else "pool"
        return self._add(*take_largest(node, form, turned, self._named("window"), self._named(stem)))

    def _reshape(self, node: Reshape, form: Pending) -> Pending:
        """A map becomes one vector; what waits for a quantiser then does so element by element."""
        if first_deferred(form) is not None:
            return form.then(node)
        return form.whole().then(node)

    def _undeferred(self, form: Pending, exact: bool = False) -> Pending:
        """`form` with all that is deferred done on its integers, as far as that can be.

        What stands in front of it may come on a grid of its own, in fixed point unless it is to be `exact`.
        """
        place = first_deferred(form)
        if place is None:
            return form
        key = (form, exact)
        if key not in self.undeferred:
            made = on_integers(form, place, self._named)
            result = self._done_on_grid(form, place, exact) if made is None else self._add(*made)
            if result is None:
                return form
            for step in form.steps[place + 1 :]:
                result = self._reshape(step, result) if isinstance(step, Reshape) else result.then(step)
            self.undeferred[key] = self._undeferred(result, exact)
        return self.undeferred[key]

    def _done_on_grid(self, form: Pending, place: int, exact: bool) -> Pending | None:
        """The deferred step of `form` at `place`, done on integers that mean what it reads."""
        step = form.steps[place]
        read = Sum(step.name, step.inputs, step.inputs, (), signs=(1,))
        try:
            made = add(read, [replace(form, steps=form.steps[:place])], self.add_bits, self._named)
        except NodeError:
            return None
        if made.approximation is not None and exact:
            return None
        before = made.result
        if isinstance(step, Pick):
            nodes, result = pick(repeating(step, before.index.shape, before.pixel_axes), before, self._named)
        else:
            pooled = on_integers(before.then(step), 0, self._named)
            if pooled is None:
                return None
            nodes, result = pooled
        self._note(made, step.onnx_nodes[-1])
        return self._add((*made.nodes, *nodes), result)

    def _threshold(self, node: Quantiser, form: Pending) -> Pending:
        """The staircase of a quantiser, and behind it what waited for it."""
        alone = commuted(form, node)
        if alone is None:
            form = self._undeferred(form, exact=True)
            if first_deferred(form) is not None:
                reason = "it or an operator before it treats elements differently, behind a pool or a pick"
                raise NodeError("lower", node.name, reason, "use constants per channel at most")
            alone = form = form.by_vector() if form.uniform(node) else form.whole()
        node = settle(node, alone)
        element = of_two_levels(node.element)
        _check_width(node)
        stairs = find_staircase(alone, node, element)
        pools = any(is_largest(step) for step in alone.steps)
        turned = stairs.descending ^ falls_before(alone, node) if pools else np.zeros(form.channels, np.bool_)
        name = self._named("threshold")
        frame = replace(form, steps=_up_to_deferred(form.steps)).in_place()
        scale, zero = per_channel(node.scale, node.zero, alone.final_sample())
        index, axes = frame.index, frame.pixel_axes
        result = integer(f"{name}_out", node.output, element, scale, zero, index, axes)
        made = IntThreshold(
            name=name,
            input=form.tensor,
            output=result.tensor,
            input_type=form.type,
            output_type=result.type,
            onnx_nodes=(*form.onnx_nodes, *node.onnx_nodes),
            thresholds=stairs.thresholds,
            descending=stairs.descending ^ turned,
            ties=stairs.ties,
        )
        lo, hi = _reached(made, form)
        return self._behind(form.steps, turned, self._add((made,), replace(result, lo=lo, hi=hi)))

    def _behind(self, steps: tuple[QuantNode, ...], turned: Flags, result: Pending) -> Pending:
        """Do what is deferred among `steps`, and move elements as the steps behind the first of them do.

        The last pool puts right what was `turned` for all of them.
        """
        pools, moved = [step for step in steps if is_largest(step)], result
        for step in steps[len(_up_to_deferred(steps)) :]:
            if isinstance(step, MaxPool | GlobalPool):
                moved = self._take_largest(step, moved, turned if step is pools[-1] else None)
            elif isinstance(step, Pick):
                moved = self._add(*pick(step, moved, self._named))
            elif isinstance(step, Reshape):
                moved = moved.in_place().whole().then(step)
            elif isinstance(step, Layout):
                moved = moved.then(step)
        return replace(moved.in_place(), onnx_tensor=result.onnx_tensor)

    def choose(self, form: Pending, node: ArgMax | None) -> Chosen | None:
        """Add an IntArgMax, if the largest integer is the largest real value; None if it need not be."""
        if any(is_deferred(step) for step in form.steps):
            return None
        form = form.whole()
        if not same_order(form):
            return None
        element = IntType(0, form.size - 1)
        self.nodes.append(
            IntArgMax(
                name="argmax0",
                input=form.tensor,
                output="argmax0_out",
                input_type=form.type,
                output_type=TensorType(element, vectors=1, channels=1),
                onnx_nodes=(*form.onnx_nodes, *(node.onnx_nodes if node else ())),
            )
        )
        return Chosen("argmax0_out", element)


def _check_width(node: Quantiser) -> None:
    element = node.element
    if element.bits > _MAX_OUTPUT_BITS:
        count = element.hi - element.lo
        reason = f"it gives {element.bits} bits, which would take {count} thresholds per channel"
        remedy = f"quantise activations to at most {_MAX_OUTPUT_BITS} bits"
        raise NodeError("lower", node.name, reason, remedy)


def _up_to_deferred(steps: tuple[QuantNode, ...]) -> tuple[QuantNode, ...]:
    return tuple(itertools.takewhile(lambda step: not is_deferred(step), steps))


def _reached(made: IntThreshold, form: Pending) -> tuple[Ints, Ints]:
    """The least and the largest integer that each channel of `made` gives for those of `form`."""
    counts = count_reached(np.stack([form.lo, form.hi]), made.thresholds).astype(np.int64)
    levels = made.thresholds.shape[1]
    ends = np.sort(np.where(made.descending, levels - counts, counts) * made.step + made.base, axis=0)
    return ends[0], ends[1]


def _in_hardware(form: Form) -> bool:
    return not isinstance(form, OnHost) or form.after_hardware


def _host_in_between(cause: QuantNode) -> NodeError:
    if isinstance(cause, Join):
        reason = "it joins what the host computes with what the hardware does, and quantised layers follow"
        return NodeError("lower", cause.name, reason, "quantise once, ahead of where the branches part")
    if isinstance(cause, HostOnly):
        return NodeError("lower", cause.name, f"{cause.reason}, and quantised layers follow", cause.remedy)
    if isinstance(cause, FloatLinear | FloatConv):
        reason = "its weights are floats, which no unit multiplies, and quantised layers follow"
        return NodeError("lower", cause.name, reason, FLOAT_REMEDY)
    return NodeError("lower", cause.name, "quantised layers follow it", "let it be the last")
