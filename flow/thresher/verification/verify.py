"""Holding a network to its model, at the end of a build and on a user's own frames."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from thresher.hardware.golden import golden_outputs
from thresher.host import Host
from thresher.ir.custom import Custom, Operators
from thresher.ir.graph import Array, interpret
from thresher.ir.hardware import HwGraph
from thresher.ir.integer import IntDepthwise, IntMatMul
from thresher.lower import Lowered
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.quantize import QuantisedLayer
from thresher.onnx_import.reference_changes import change_model
from thresher.verification.frames import draw_inputs
from thresher.verification.results import Difference, TensorResult, Verification, join_results
from thresher.verification.subject import Subject
from thresher.verification.walk import Walk

_SEED = 2
# A build's frames: so many of the model's input, and so many that are drawn at each quantiser.
_NATURAL, _DRAWN = 16, 112
_FEWEST = 2
# Multiply-accumulates that a build's frames may take, and elements of a tensor that are held at a time.
_MOST_MACS = 3 << 29
_MOST_ELEMENTS = 1 << 23


def verify_design(
    model: Imported,
    layers: Sequence[QuantisedLayer],
    built: Imported,
    lowered: Lowered,
    host: Host,
    graph: HwGraph,
    samples: Array | None,
) -> Verification:
    """Hold what is about to be built to the model, on drawn frames and on `samples`.

    `model` is the file as it is imported, `built` the same with float `layers` quantised, which is what was
    lowered. The hardware's golden model `graph` is held to the integer network besides.

    Raises:
        RuntimeRefusalError: onnxruntime cannot compute the model.
    """
    started = time.monotonic()
    subject = _subject(model, layers, built, lowered, host)
    share = min(1.0, _MOST_MACS / max(1, _macs(lowered)) / (_NATURAL + _DRAWN))
    natural, drawn = (max(_FEWEST, int(count * share)) for count in (_NATURAL, _DRAWN))
    frames = draw_inputs(host, natural, np.random.default_rng(_SEED))
    parts = _walks(subject, frames, drawn)
    if samples is not None:
        parts += _walks(subject, samples[: _spread_limit(natural, len(samples))], 0)
    taken = natural + drawn + (0 if samples is None else _spread_limit(natural, len(samples)))
    results = (*join_results(parts), _hardware(lowered, graph, host.encode(frames)))
    return Verification(taken, results, time.monotonic() - started)


def verify_frames(
    model: Imported, layers: Sequence[QuantisedLayer], host: Host, frames: Array, operators: Operators
) -> Verification:
    """Hold the integer network of `host` to its model on `frames` of the model's input.

    Float `layers` of it were quantised; `operators` are those of custom domains.

    Raises:
        RuntimeRefusalError: onnxruntime cannot compute the model.
        UsageError: The frames do not fit the model.
    """
    started = time.monotonic()
    built = change_model(model, layers, ()).imported(operators) if layers else model
    subject = _subject(model, layers, built, host.lowered, host)
    results = join_results(_walks(subject, frames, 0))
    return Verification(len(frames), results, time.monotonic() - started)


def compute_output(model: Imported, frame: Array) -> Array | None:
    """The model's output for one frame `[1, ...]` of its input, by the reference; None for custom operators.

    Raises:
        RuntimeRefusalError: onnxruntime cannot compute the model.
    """
    source = model.scope.source
    if any(isinstance(node, Custom) for node in model.graph.nodes):
        return None
    values = {source.input: frame}
    for step in change_model(model, (), ()).reference((), (source.output,)).steps:
        values |= step.run({name: values[name] for name in step.reads})
    return values[source.output]


def _spread_limit(natural: int, count: int) -> int:
    return min(count, 4 * natural)


def _subject(
    model: Imported, layers: Sequence[QuantisedLayer], built: Imported, lowered: Lowered, host: Host
) -> Subject:
    readers = [(each.onnx_tensor, each.reader) for each in lowered.checkpoints if each.reader is not None]
    changed = change_model(model, layers, readers)
    return Subject(lowered, host, built.graph, changed, model.scope.aliases)


def _walks(subject: Subject, frames: Array, drawn: int) -> list[Sequence[TensorResult]]:
    """As many walks as memory asks for."""
    reference = subject.reference()
    outputs = [node.output_type for node in subject.lowered.graph.nodes]
    widest = max(kind.vectors * kind.channels for kind in outputs)
    size = max(1, _MOST_ELEMENTS // widest)
    parts: list[Sequence[TensorResult]] = []
    for first in range(0, len(frames), size):
        chunk = frames[first : first + size]
        parts.append(Walk(subject, reference, chunk, min(drawn, size) if not first else 0).run())
    return parts


def _hardware(lowered: Lowered, graph: HwGraph, integers: Array) -> TensorResult:
    """The golden model of the units against the integer operators that they were made of, at the output."""
    end = lowered.output
    wanted = interpret(lowered.graph, {lowered.input.tensor: integers})[end.tensor]
    got = golden_outputs(graph, integers).reshape(wanted.shape)
    wrong = got != wanted
    first = None
    if wrong.any():
        frame, _, channel = (int(place) for place in np.argwhere(wrong)[0])
        place = tuple(np.argwhere(wrong)[0])
        first = Difference(frame, channel, float(got[place]), float(wanted[place]))
    return TensorResult(end.tensor, "(units)", int(wrong.size), int(wrong.sum()), first=first)


def _macs(lowered: Lowered) -> int:
    """Multiply-accumulates of a frame."""
    return sum(
        node.weights.size * node.output_type.vectors
        for node in lowered.graph.nodes
        if isinstance(node, IntMatMul | IntDepthwise)
    )
