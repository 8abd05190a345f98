"""The walk through a model and its integer network side by side, tensor by tensor.

At each checkpoint the golden model's integers are compared with those that the model's values mean. Where a
quantiser has written them, both go on from the model's own integers, so that one tie does not spoil what
follows, and some frames go on from drawn ones, so that every layer meets the ends of its range.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from thresher.errors import RETRAIN, NodeError, printable
from thresher.ir.graph import Array
from thresher.ir.integer import Flags, Ints
from thresher.ir.quant import ArgMax, QuantNode
from thresher.lower import Checkpoint
from thresher.lower.stimulus import draw_frames
from thresher.onnx_import.reference import Frames, Reference
from thresher.verification.bounds import Bounds, enclosing
from thresher.verification.results import Difference, TensorResult
from thresher.verification.subject import Point, Subject
from thresher.verification.ties import tied_choices, tied_levels, within_rounding

_ROUNDING = 2.0**-22
"""A float32 value of the model lies so far from the real number that integers mean, as a share of it."""


@dataclass
class Walk:
    """One walk with some frames: `natural` ones of the model's input, then `drawn` ones at each quantiser.

    `values` are those of the model's tensors, an array a frame, and `integers` those of the network's;
    `drawn_at` is the model's tensor where those of the network's were drawn.
    """

    subject: Subject
    reference: Reference
    natural: Array
    drawn: int
    values: dict[str, Frames] = field(default_factory=dict)
    integers: dict[str, Ints] = field(default_factory=dict)
    drawn_at: dict[str, str] = field(default_factory=dict)
    results: list[TensorResult] = field(default_factory=list)

    def run(self) -> list[TensorResult]:
        """Compare all tensors, in the order of the file.

        Raises:
            RuntimeRefusalError: onnxruntime refuses a node.
            UsageError: The frames do not fit the model.
            NodeError: The model itself has a NaN or an infinity where the hardware has an integer.
        """
        # What overflows is found by `_check_finite`, and of all else nothing is asked.
        with np.errstate(over="ignore", invalid="ignore"):
            self._walk()
        return self.results

    def _walk(self) -> None:
        self._begin()
        kept = {self.subject.model.source.output, *self.subject.replaced}
        for place, step in enumerate(self.reference.steps):
            self._give_customs(step.reads)
            for row in range(len(self.natural) + self.drawn):
                for name, value in step.run({name: self.values[name][row] for name in step.reads}).items():
                    self.values.setdefault(name, []).append(value)
            for name in step.writes:
                self._arrive(name)
            needed = kept.union(*(each.reads for each in self.reference.steps[place + 1 :]))
            self.values = {name: rows for name, rows in self.values.items() if name in needed}
        self._finish()

    def _begin(self) -> None:
        """The model's input, and the integers that enter the hardware."""
        subject, source = self.subject, self.subject.model.source
        entry = subject.entry
        natural = subject.host.encode(self.natural).reshape(-1, entry.vectors, entry.channels)
        self.integers[entry.tensor] = np.concatenate([natural, self._draw(entry)]).astype(np.int64)
        if subject.host.prologue is None:
            self.values[source.input] = _rows(entry.real(self.integers[entry.tensor]))
            self.drawn_at[entry.tensor] = source.input
            return
        # Drawn frames enter behind the prologue; what the model computes before that does not matter.
        repeated = np.arange(len(self.natural) + self.drawn) % len(self.natural)
        self.values[source.input] = _rows(self.natural.astype(np.float32)[repeated])

    def _draw(self, point: Checkpoint) -> Ints:
        """Frames of integers that may stand at a quantiser, some at the ends of their range."""
        low, high = np.tile(point.lo, point.vectors), np.tile(point.hi, point.vectors)
        random = np.random.default_rng(zlib.crc32(point.tensor.encode()))
        frames = draw_frames(self.subject.lowered.graph, point.tensor, low, high, self.drawn, random)
        return frames.reshape(-1, point.vectors, point.channels)

    def _give_customs(self, reads: Sequence[str]) -> None:
        """Give what operators of custom domains write, which no other program than golden knows."""
        for name in reads:
            if name not in self.values:
                (point,) = self.subject.points[name]
                self.values[name] = _rows(point.real(self._golden(point.checkpoint)))

    def _golden(self, point: Checkpoint) -> Ints:
        """The integers of a checkpoint `[N, vectors, channels]`, from those that were compared before."""
        return self._integers(point.tensor).reshape(-1, point.vectors, point.channels)

    def _integers(self, tensor: str) -> Ints:
        if tensor not in self.integers:
            node = self.subject.makers[tensor]
            (self.integers[tensor],) = node.evaluate(*(self._integers(name) for name in node.inputs))
        return self.integers[tensor]

    def _arrive(self, name: str) -> None:
        """Compare a tensor that the model has just written, and put in its place what is to stand there."""
        points = self.subject.points.get(name, ())
        if points:
            self._check_finite(name)
        for point in points:
            if point.checkpoint.own_error:
                self._compare_fixed_point(name, point)
            elif point.chain:
                self._compare_values(name, point)
            else:
                self._compare(name, point.checkpoint)
        if points:
            self._go_on(name, points)
        chain = self.subject.ends.get(name)
        if chain is not None:
            self._leave(name, chain)

    def _check_finite(self, name: str) -> None:
        """Refuse a model whose own values mean nothing, which no integers equal."""
        wrong = ~np.isfinite(self._stacked(name))
        if wrong.any():
            value = float(self._stacked(name)[wrong][0])
            reason = (
                f"its output '{printable(name)}' has {value:g} among its values in the model itself, in "
                f"{int(wrong.sum()):,} of {wrong.size:,} elements, because float32 overflows there or before"
            )
            raise NodeError("verification", self.subject.writers.get(name, name), reason, RETRAIN)

    def _compare(self, name: str, point: Checkpoint) -> None:
        """Integers against what the model's values mean."""
        values = self._stacked(name).reshape(-1, *point.shape)
        golden = self._golden(point)
        behind_host = point is self.subject.entry and self.subject.host.prologue is not None
        rows = len(self.natural) if behind_host else len(values)
        steps = point.steps(values)
        wanted = np.rint(steps)
        magnitude = 1 + np.abs(steps) + np.abs(point.zero) + np.abs(point.offset) / point.step
        allowed = point.slack / point.step + _ROUNDING * magnitude
        wrong = ~(np.abs(steps - golden) <= allowed)
        if not point.scale.all():
            # Integers of a scale of zero all mean the same.
            wrong &= (point.scale != 0) | point.in_stream_order(values != point.real(golden))
        wrong[rows:] = False
        tied = np.zeros_like(wrong)
        for frames in self._groups(wrong):
            tied[frames] = self._tied(name, point, frames, values[frames], wanted[frames])
        # Where no integer means the model's value, the value itself is shown, in steps.
        shown = np.where(np.abs(steps - wanted) <= allowed, wanted, steps)
        ties = wrong & tied & (golden != wanted)
        self._record(name, rows, golden, shown, wrong & ~tied, ties)
        if point.levels:
            own = np.clip(np.nan_to_num(wanted), point.lo, point.hi).astype(np.int64)
            self.integers[point.tensor] = np.concatenate([own[:rows], golden[rows:]])

    def _tied(self, name: str, point: Checkpoint, frames: Ints, values: Array, wanted: Array) -> Flags:
        """Where float32 can give what golden has as well as what the model has."""
        golden = self._golden(point)[frames]
        given = self._given(frames, name, point.onnx_tensor)
        if point.levels:
            return tied_levels(self.subject.graph, point, given, golden, wanted)
        inside = within_rounding(self.subject.graph, point.onnx_tensor, given, values, point.real(golden))
        return point.in_stream_order(inside)

    def _compare_values(self, name: str, point: Point) -> None:
        """Values behind operators that the file does not show apart, such as the bias within a product."""
        meant = point.real(self._golden(point.checkpoint))
        values = self._stacked(name).reshape(meant.shape)
        wrong = ~(values == meant)
        for rows in self._groups(wrong):
            given = self._given(rows, name)
            wrong[rows] &= ~within_rounding(self.subject.graph, name, given, values[rows], meant[rows])
        got, wanted, differs = (_channels_last(each) for each in (meant, values, wrong))
        self._record(name, len(values), got, wanted, differs, np.zeros_like(differs))

    def _compare_fixed_point(self, name: str, point: Point) -> None:
        """Fixed point against the exact sum of its inputs and the stated error; the model goes on from it."""
        checkpoint = point.checkpoint
        golden = self._golden(checkpoint)
        values = self._stacked(name).reshape(-1, *checkpoint.shape)
        steps = checkpoint.steps(values)
        off = checkpoint.in_stream_order(np.abs(values.astype(np.float64) - checkpoint.exact(golden)))
        rounding = _ROUNDING * np.abs(values).max(initial=0)
        allowed = checkpoint.own_error + checkpoint.slack + rounding
        wrong = ~(off <= allowed)
        error = (float(off.max()), float(np.max(allowed)))
        self._record(name, len(values), golden, steps, wrong, np.zeros_like(wrong), error)
        self._put(name, point.real(golden))

    def _go_on(self, name: str, points: Sequence[Point]) -> None:
        """In the last frames both sides go on from drawn integers, the same under all names.

        A tensor stays as it is that several integer tensors stand for, that stands for one that was drawn
        before, or that an operator of the network was read across.
        """
        point = points[0]
        tensor, count = point.checkpoint.tensor, len(self.natural)
        first = self.drawn_at.setdefault(tensor, name)
        again = self.subject.aliases.get(name) == first
        alone = all(each.checkpoint.tensor == tensor for each in points)
        if not self.drawn or not alone or name in self.subject.inner or (first != name and not again):
            return
        drawn = self._draw(point.checkpoint)
        self.integers[tensor] = np.concatenate([self._golden(point.checkpoint)[:count], drawn])
        self._put(name, point.real(drawn), first=count)

    def _leave(self, name: str, chain: Sequence[QuantNode]) -> None:
        """Put what the hardware's output means where the host's part of the model begins.

        Operators of `chain` are within one of the file, such as the bias of a product.
        """
        end = self.subject.lowered.output
        centred = (end.from_stream(self._integers(end.tensor)) - end.zero).astype(np.float32)
        meant: Array = centred * end.scale.astype(np.float32)
        if end.offset.any():
            meant = meant + end.offset.astype(np.float32)
        for node in chain:
            meant = node.apply(meant)
        self._put(name, meant)

    def _finish(self) -> None:
        """The model's output, against what the host makes of the hardware's."""
        subject, output = self.subject, self.subject.model.source.output
        got = subject.host.decode(self._integers(subject.lowered.output.tensor))
        if subject.lowered.epilogue is None:
            self._choose(got.reshape(len(got), -1)[:, 0])
            return
        values = self._stacked(output).reshape(got.shape)
        wrong = ~((got == values) | (np.isnan(got) & np.isnan(values)))
        first, second, differs = (_channels_last(each) for each in (got, values, wrong))
        # Its elements were counted where it is a tensor of the hardware as well.
        rows = 0 if any(each.tensor == output for each in self.results) else len(got)
        self._record(output, rows, first, second, differs, np.zeros_like(differs))

    def _choose(self, chosen: Ints) -> None:
        """Class indices `[N]`: the model's own, or those of the largest of its outputs."""
        graph, output = self.subject.graph, self.subject.model.source.output
        node = next(each for each in graph.nodes if graph.outputs[0] in each.outputs)
        flat = self._stacked(output).reshape(len(chosen), -1)
        own = isinstance(node, ArgMax)
        wanted = flat[:, 0].astype(np.int64) if own else flat.argmax(axis=1)
        wrong = chosen != wanted
        ties = np.zeros_like(wrong)
        for rows in self._groups(wrong):
            scores, given = node.input if own else node.output, self._given(rows)
            ties[rows] = tied_choices(graph, scores, given, chosen[rows], wanted[rows])
        column = (-1, 1, 1)
        self._record(
            output,
            len(chosen),
            chosen.reshape(column),
            wanted.reshape(column),
            (wrong & ~ties).reshape(column),
            ties.reshape(column),
        )

    def _stacked(self, name: str, rows: Ints | slice = slice(None)) -> Array:
        """The values of a tensor `[N, *shape]`."""
        result: Array = np.concatenate(self.values[name])[rows]
        return result

    def _groups(self, wrong: Flags) -> Iterator[Ints]:
        """The frames with differences, those of the model's input apart from those that were drawn."""
        rows = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        drawn = rows >= len(self.natural)
        yield from (group for group in (rows[~drawn], rows[drawn]) if len(group))

    def _given(self, rows: Ints, *but: str) -> dict[str, Bounds]:
        """What integers mean, but for those of some tensors: the real values from which a tie is judged.

        Sums of the model's own may be off, so they are none of them, but where drawn ones were put.
        """
        subject, drawn = self.subject, rows[0] >= len(self.natural)
        given: dict[str, Bounds] = {}
        for name in {subject.model.source.input, *subject.replaced}.intersection(self.values).difference(but):
            point = next(iter(subject.points.get(name, ())), None)
            if point is None or point.chain:
                firm = point is None or (drawn and name in self.drawn_at.values())
                given |= {name: enclosing(self._stacked(name, rows))} if firm else {}
                continue
            checkpoint = point.checkpoint
            if checkpoint.levels or checkpoint.own_error or (drawn and name in self.drawn_at.values()):
                shape, integers = self._stacked(name, rows).shape, self._golden(checkpoint)[rows]
                means = checkpoint.exact(integers), checkpoint.real(integers)
                given[name] = enclosing(*(each.reshape(shape) for each in means))
        return given

    def _put(self, name: str, values: Array, first: int = 0) -> None:
        """Put `values` `[N, *shape]` in place of what the model wrote, from one frame on."""
        shape = self.values[name][0].shape
        self.values[name][first:] = [row.reshape(shape) for row in values]

    def _record(
        self,
        name: str,
        rows: int,
        golden: Array,
        wanted: Array,
        wrong: Flags,
        ties: Flags,
        error: tuple[float, float] | tuple[None, None] = (None, None),
    ) -> None:
        """Note a tensor; arrays are `[N, vectors, channels]`, `error` is that measured and that allowed."""
        first = None
        if wrong.any():
            frame, vector, channel = (int(place) for place in np.argwhere(wrong)[0])
            first = Difference(
                frame, channel, float(golden[frame, vector, channel]), float(wanted[frame, vector, channel])
            )
        self.results.append(
            TensorResult(
                tensor=name,
                node=self.subject.writers.get(name, name),
                elements=rows * int(golden[0].size),
                mismatches=int(wrong.sum()),
                ties=int(ties.sum()),
                first=first,
                error=error[0],
                bound=error[1],
            )
        )


def _rows(values: Array) -> Frames:
    """An array for each frame, with a batch axis of 1."""
    return [row[None] for row in values]


def _channels_last(values: Array) -> Array:
    """Values `[N, channels, ...]` as `[N, pixels, channels]`."""
    if values.ndim < 2:
        return values.reshape(-1, 1, 1)
    return np.moveaxis(values, 1, -1).reshape(len(values), -1, values.shape[1])
