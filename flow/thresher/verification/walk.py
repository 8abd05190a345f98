"""The walk through a model and its integer network side by side, tensor by tensor.

At each checkpoint the golden model's integers are compared with those that the model's values mean. Where a
quantiser has written them, both go on from the model's own integers, so that one tie does not spoil what
follows, and some frames go on from drawn ones, so that every layer meets the ends of its range.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thresher.graph import Array
from thresher.host import Host
from thresher.lower import Checkpoint, Lowered
from thresher.lower.integer import IntNode, Ints
from thresher.lower.stimulus import draw_frames
from thresher.onnx_import.importer import QuantGraph
from thresher.onnx_import.custom import Custom
from thresher.onnx_import.nodes import ArgMax, QuantNode
from thresher.onnx_import.quantisers import Quantiser
from thresher.onnx_import.reference import Frames, Reference
from thresher.onnx_import.reference_changes import ChangedModel, copy_name
from thresher.verification.bounds import bounds_of, levels_between
from thresher.verification.results import Difference, TensorResult

Flags = npt.NDArray[np.bool_]

# A model's float32 value lies so far from the real number that it stands for, as a share of it.
_ROUNDING = 2.0**-22


@dataclass(frozen=True, eq=False)
class Subject:
    """An integer network, and the model that it is held to.

    Attributes:
        lowered: the network, with its checkpoints.
        host: its ends.
        graph: the imported network, for the bounds of what float32 can give.
        model: the nodes of the ONNX file, with what the user asked to change.
        aliases: other names of tensors in the file.
    """

    lowered: Lowered
    host: Host
    graph: QuantGraph
    model: ChangedModel
    aliases: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The tensors of the file."""
        nodes = self.model.nodes
        return frozenset({self.model.source.input, *(name for node in nodes for name in node.outputs)})

    @cached_property
    def writers(self) -> Mapping[str, str]:
        """The ONNX node that writes each tensor."""
        return {name: node.name for node in self.model.nodes for name in node.outputs}

    @cached_property
    def makers(self) -> Mapping[str, IntNode]:
        """The operator that writes each integer tensor."""
        return {node.output: node for node in self.lowered.graph.nodes}

    @cached_property
    def points(self) -> Mapping[str, tuple[Checkpoint, ...]]:
        """The checkpoints at each tensor of the file, and at its other names."""
        found: dict[str, tuple[Checkpoint, ...]] = {}
        for each in self.lowered.checkpoints:
            name = each.onnx_tensor if each.reader is None else copy_name(each.onnx_tensor, each.reader)
            if name in self.names:
                found[name] = (*found.get(name, ()), each)
        for alias, name in self.aliases.items():
            if name in found and alias in self.names:
                found[alias] = found[name]
        return found

    @cached_property
    def ends(self) -> Mapping[str, tuple[QuantNode, ...]]:
        """The first tensors of the file behind the hardware, and the operators from its output to each."""
        base = self.lowered.output.onnx_tensor
        if self.lowered.epilogue is None:
            return {}
        if base in self.names:
            return {base: ()}
        chains: dict[str, tuple[QuantNode, ...]] = {base: ()}
        found: dict[str, tuple[QuantNode, ...]] = {}
        for node in self.graph.nodes:
            if len(node.inputs) == 1 and node.input in chains:
                chain = (*chains[node.input], node)
                (found if node.output in self.names else chains)[node.output] = chain
        return found

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The tensors that get other values before the nodes behind them are computed."""
        customs = {node.output for node in self.graph.nodes if isinstance(node, Custom)}
        points = {
            name
            for name, found in self.points.items()
            if any(each.levels or each.own_error for each in found)
        }
        return frozenset({*customs, *points, *self.ends})

    def reference(self) -> Reference:
        """The model in steps that end behind the tensors that are replaced."""
        return self.model.reference(self.replaced, {*self.points, self.model.source.output})


@dataclass
class Walk:
    """One walk with some frames: `natural` ones of the model's input, then `drawn` ones at each quantiser.

    `values` are those of the model's tensors, an array a frame, and `integers` those of the network's.
    """

    subject: Subject
    reference: Reference
    natural: Array
    drawn: int
    values: dict[str, Frames] = field(default_factory=dict)
    integers: dict[str, Ints] = field(default_factory=dict)
    results: list[TensorResult] = field(default_factory=list)

    def run(self) -> list[TensorResult]:
        """Compare all tensors.

        Raises:
            RuntimeRefusalError: onnxruntime refuses a node.
        """
        self._begin()
        kept = {self.subject.model.source.output, *self.subject.replaced}
        for place, step in enumerate(self.reference.steps):
            self._compute(step.reads)
            for row in range(len(self.natural) + self.drawn):
                results = step.run({name: self.values[name][row] for name in step.reads})
                for name, value in results.items():
                    self.values.setdefault(name, []).append(value)
            for node in step.nodes:
                for name in node.outputs:
                    if name in step.writes:
                        self._arrive(name)
            needed = kept.union(*(each.reads for each in self.reference.steps[place + 1 :]))
            self.values = {name: rows for name, rows in self.values.items() if name in needed}
        self._finish()
        return self.results

    def _begin(self) -> None:
        """The model's input, and the integers that enter the hardware."""
        subject, source = self.subject, self.subject.model.source
        entry = subject.lowered.input
        natural = subject.host.encode(self.natural)
        point = next(each for each in subject.lowered.checkpoints if each.tensor == entry.tensor)
        drawn = self._draw(point)
        rows = natural.reshape(len(natural), point.vectors, point.channels)
        self.integers[entry.tensor] = np.concatenate([rows, drawn]).astype(np.int64)
        if subject.lowered.prologue is None:
            self.values[source.input] = _rows(point.real(self.integers[entry.tensor]))
            return
        frames = self.natural.astype(np.float32)
        self.values[source.input] = _rows(frames[np.arange(len(frames) + self.drawn) % len(frames)])

    def _draw(self, point: Checkpoint) -> Ints:
        """Frames of integers that may stand at a quantiser, some at the ends of their range."""
        low, high = np.tile(point.lo, point.vectors), np.tile(point.hi, point.vectors)
        random = np.random.default_rng(zlib.crc32(point.tensor.encode()))
        frames = draw_frames(self.subject.lowered.graph, point.tensor, low, high, self.drawn, random)
        return frames.reshape(self.drawn, point.vectors, point.channels)

    def _compute(self, reads: Sequence[str]) -> None:
        """Give what a custom operator writes, which golden alone knows."""
        for name in reads:
            if name not in self.values:
                for point in self.subject.points[name]:
                    self.values[name] = _rows(point.real(self._golden(point.tensor)))

    def _golden(self, tensor: str) -> Ints:
        """The integers of a tensor, from those that were compared before."""
        if tensor not in self.integers:
            node = self.subject.makers[tensor]
            (self.integers[tensor],) = node.evaluate(*(self._golden(name) for name in node.inputs))
        return self.integers[tensor]

    def _arrive(self, name: str) -> None:
        """Compare a tensor that the model has just written, and put in its place what is to stand there."""
        for point in self.subject.points.get(name, ()):
            if point.own_error:
                self._hold_error(name, point)
            else:
                self._compare(name, point)
        chain = self.subject.ends.get(name)
        if chain is not None:
            self._leave(name, chain)

    def _stacked(self, name: str, rows: Array | slice = slice(None)) -> Array:
        """The values of a tensor `[rows, ...]`."""
        return np.concatenate(self.values[name])[rows]

    def _compare(self, name: str, point: Checkpoint) -> None:
        """Integers against what the model's values mean."""
        values = self._stacked(name)
        golden = self._golden(point.tensor).reshape(-1, point.vectors, point.channels)
        entering = (
            point.tensor == self.subject.lowered.input.tensor and self.subject.lowered.prologue is not None
        )
        rows = len(self.natural) if entering else len(values)
        steps = point.steps(values.reshape(len(values), *point.shape))
        wanted = np.rint(steps)
        reach = point.slack / np.abs(point.scale)
        allowed = reach + _ROUNDING * (1 + np.abs(steps) + np.abs(point.zero))
        wrong = ~(np.abs(steps - golden) <= allowed)
        wrong[rows:] = False
        ties = np.zeros_like(wrong)
        if wrong.any():
            ties = self._explained(name, point, wrong, golden, wanted)
        shown = np.where(np.abs(steps - wanted) <= allowed, wanted, steps)
        # Drift that no integer shows is no tie.
        counted = ties & (golden != wanted) if not point.levels else ties
        self._record(name, rows, golden, shown, wrong & ~ties, counted)
        if point.levels:
            self._go_on(name, point, wanted)

    def _go_on(self, name: str, point: Checkpoint, wanted: Array) -> None:
        """Both sides go on from the model's own integers, and in the last frames from drawn ones."""
        count = len(self.natural)
        entering = point.tensor == self.subject.lowered.input.tensor
        limited = np.clip(np.nan_to_num(wanted[:count]), point.lo, point.hi).astype(np.int64)
        drawn = self.integers[point.tensor][count:] if entering else self._draw(point)
        self.integers[point.tensor] = np.concatenate([limited, drawn])
        shape = self.values[name][0].shape
        self.values[name][count:] = [row.reshape(shape) for row in _rows(point.real(drawn))]

    def _explained(self, name: str, point: Checkpoint, wrong: Flags, golden: Ints, wanted: Array) -> Flags:
        """Which of the differences are between integers that float32 can both give."""
        frames = np.flatnonzero(wrong.any(axis=(1, 2)))
        explained = np.zeros_like(wrong)
        node = next((each for each in self.subject.graph.nodes if point.onnx_tensor in each.outputs), None)
        if node is None:
            return explained
        given = self._given(name, point, frames)
        if isinstance(node, Quantiser) and point.levels:
            bounds = bounds_of(self.subject.graph, node.input, given)
            if bounds is None:
                return explained
            low, high = (
                _streamed(point, ends.reshape(len(frames), *point.shape))
                for ends in levels_between(node, bounds)
            )
            pair = (golden[frames], wanted[frames])
            explained[frames] = np.all([(each >= low) & (each <= high) for each in pair], axis=0)
            return explained & wrong
        bounds = bounds_of(self.subject.graph, point.onnx_tensor, given)
        if bounds is not None:
            values = self._stacked(name, frames)
            meant = point.real(golden[frames]).reshape(values.shape)
            inside = bounds.hold(values) & bounds.hold(meant)
            explained[frames] = _streamed(point, inside.reshape(len(frames), *point.shape))
        return explained & wrong

    def _given(self, name: str, point: Checkpoint, frames: Array) -> dict[str, Array]:
        """The values that the tensors have which were compared or put in place before `name`."""
        known = [
            each for each in self.subject.replaced | {self.subject.model.source.input} if each in self.values
        ]
        return {
            each: self._stacked(each, frames)
            for each in known
            if each not in (name, point.onnx_tensor) and each in self.values
        }

    def _hold_error(self, name: str, point: Checkpoint) -> None:
        """What fixed point makes of the model's own inputs, against the error that is stated; then go on from it."""
        golden = self._golden(point.tensor).reshape(-1, point.vectors, point.channels)
        values = self._stacked(name)
        steps = point.steps(values.reshape(len(values), *point.shape))
        off = np.abs(steps - golden) * np.abs(point.scale)
        allowed = point.own_error + point.slack + _ROUNDING * np.abs(steps - point.zero) * np.abs(point.scale)
        wrong = ~(off <= allowed)
        self._record(
            name, len(values), golden, steps, wrong, np.zeros_like(wrong), float(off.max()), point.own_error
        )
        shape = self.values[name][0].shape
        self.values[name] = [row.reshape(shape) for row in _rows(point.real(golden))]

    def _leave(self, name: str, chain: Sequence[QuantNode]) -> None:
        """Put what the hardware's output means where the host's part of the model begins."""
        end = self.subject.lowered.output
        frames = end.from_stream(self._golden(end.tensor)).astype(np.float32)
        meant = (frames - end.zero.astype(np.float32)) * end.scale.astype(np.float32)
        if end.offset.any():
            meant = meant + end.offset.astype(np.float32)
        for node in chain:
            meant = node.apply(meant)
        values = self._stacked(name)
        if chain:
            self._compare_reals(name, values, meant.reshape(values.shape))
        shape = self.values[name][0].shape
        self.values[name] = [row.reshape(shape) for row in meant]

    def _compare_reals(self, name: str, values: Array, meant: Array) -> None:
        """Values behind a step that the file does not show apart, such as a bias within a product."""
        wrong = values != meant
        frames = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        if len(frames):
            given = {
                each: self._stacked(each, frames)
                for each in self.subject.replaced
                if each in self.values and each != name
            }
            bounds = bounds_of(self.subject.graph, name, given)
            if bounds is not None:
                wrong[frames] &= ~(bounds.hold(values[frames]) & bounds.hold(meant[frames]))
        shape = (len(values), -1, values.shape[1] if values.ndim > 1 else 1)
        parts = (
            np.moveaxis(each, 1, -1).reshape(shape) if each.ndim > 1 else each.reshape(shape)
            for each in (meant, values, wrong)
        )
        got, wanted, differs = parts
        self._record(name, len(values), got, wanted, differs, np.zeros_like(differs))

    def _finish(self) -> None:
        """The model's output, against what the host makes of the hardware's."""
        subject, output = self.subject, self.subject.model.source.output
        golden = self._golden(subject.lowered.output.tensor)
        got = subject.host.decode(golden)
        values = self._stacked(output)
        if subject.lowered.epilogue is None:
            self._choose(got, values)
            return
        values = values.reshape(got.shape)
        wrong = ~((got == values) | (np.isnan(got) & np.isnan(values)))
        flat = (each.reshape(len(got), 1, -1) for each in (got, values, wrong))
        first, second, differs = flat
        self._record(output, len(got), first, second, differs, np.zeros_like(differs))

    def _choose(self, got: Array, values: Array) -> None:
        """Class indices: the model's own, or that of the largest of its outputs."""
        node = next(
            each for each in self.subject.graph.nodes if self.subject.graph.outputs[0] in each.outputs
        )
        scores = node.input if isinstance(node, ArgMax) else node.output
        flat = values.reshape(len(values), -1)
        wanted = flat[:, 0] if isinstance(node, ArgMax) else flat.argmax(axis=1)
        chosen = got.reshape(len(got), -1)[:, 0]
        wrong = chosen != wanted
        ties = np.zeros_like(wrong)
        frames = np.flatnonzero(wrong)
        given = {each: self._stacked(each, frames) for each in self.subject.replaced if each in self.values}
        bounds = bounds_of(self.subject.graph, scores, given) if len(frames) else None
        if bounds is not None:
            low, high = (each.reshape(len(frames), -1) for each in (bounds.low, bounds.high))
            rows = np.arange(len(frames))
            one, other = chosen[frames], wanted[frames]
            ties[frames] = (high[rows, one] >= low[rows, other]) & (high[rows, other] >= low[rows, one])
        shape = (len(got), 1, 1)
        self._record(
            self.subject.model.source.output,
            len(got),
            chosen.reshape(shape),
            wanted.reshape(shape),
            (wrong & ~ties).reshape(shape),
            ties.reshape(shape),
        )

    def _record(  # noqa: PLR0913  (what a row of the table holds)
        self,
        name: str,
        rows: int,
        golden: Array,
        wanted: Array,
        wrong: Flags,
        ties: Flags,
        error: float | None = None,
        bound: float | None = None,
    ) -> None:
        first = None
        if wrong.any():
            frame, vector, channel = (int(place) for place in np.argwhere(wrong)[0])
            pair = (float(each[frame, vector, channel]) for each in (golden, wanted))
            first = Difference(frame, channel, *pair)
        self.results.append(
            TensorResult(
                tensor=name,
                node=self.subject.writers.get(name, name),
                elements=rows * int(golden[0].size),
                mismatches=int(wrong.sum()),
                ties=int(ties.sum()),
                first=first,
                error=error,
                bound=bound,
            )
        )


def _rows(values: Array) -> Frames:
    """An array for each frame, with a batch axis of 1."""
    return [row[None] for row in values]


def _streamed(point: Checkpoint, values: Array) -> Array:
    """Values `[N, *shape]` of the model's tensor as `[N, vectors, channels]` of the stream."""
    flat = values.reshape(len(values), -1)
    if point.order is not None:
        streamed = np.empty_like(flat)
        streamed[:, point.order] = flat
        flat = streamed
    return flat.reshape(-1, point.vectors, point.channels)
