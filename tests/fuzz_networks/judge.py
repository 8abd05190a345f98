"""Whether Thresher's golden model gives what the model gives."""

from __future__ import annotations

import functools
import importlib.metadata
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal
from unittest import mock

import numpy as np

from tests.fuzz_networks.bounds import Bounds, has_few_bits
from tests.fuzz_networks.caught import Caught
from tests.fuzz_networks.description import (
    Description,
    Network,
    integer_frames,
    make_frames,
    write_network,
)
from tests.fuzz_networks.executor import Executed, execute
from tests.fuzz_networks.values import Array, InvalidError
from thresher.building import BuildOptions, Prepared, hold_to_model, parse_input_type, prepare
from thresher.emit.design import Design
from thresher.errors import ThresherError
from thresher.float_layers import host_of
from thresher.hardware.golden import golden_outputs
from thresher.onnx_import import parse_model
from thresher.onnx_import.session import RuntimeRefusalError

Kind = Literal["ok", "tie", "wrong", "refused", "traceback", "invalid"]
FAILURES: tuple[Kind, ...] = ("wrong", "traceback", "invalid")
# Of frames that differ, so many are looked into.
_MOST_FRAMES = 4
_HOST_ROUNDINGS = 4
# One network of so many is folded.
_FOLDED_OF = 8


@dataclass(frozen=True, eq=False)
class Verdict:
    """What came of one network; `what` is the same for failures of one kind."""

    kind: Kind
    what: str = ""
    detail: str = ""
    labels: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    unexplained: int = 0

    @property
    def failed(self) -> bool:
        """Whether it is a fault, of Thresher or of the fuzzer."""
        return self.kind in FAILURES


def judge(description: Description, verifies: bool = True) -> Verdict:
    """Build the network of `description` and hold its golden model to the oracle.

    Where it `verifies`, a build's own verification must find no difference either. An error of the fuzzer
    itself makes the network `invalid`.
    """
    with Caught() as caught:
        return _judged(description, verifies)
    return Verdict("invalid", f"fuzzer: {caught.place}", caught.detail)


def _judged(description: Description, verifies: bool) -> Verdict:
    try:
        network = write_network(description)
    except InvalidError as error:
        return Verdict("invalid", f"description: {error}")
    frames = make_frames(description)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            executed = execute(network.proto, frames)
        except (RuntimeError, ValueError, TypeError) as error:
            return Verdict("invalid", f"oracle: {_pattern(str(error))}", str(error), network.labels)
        with Caught() as caught:
            prepared = prepare_network(description, network)
            verdict = _compared(description, network, executed, frames, prepared.design)
            return _verified(verdict, prepared) if verifies else verdict
    # The oracle has just computed all that the host is left with.
    if isinstance(caught.error, ThresherError) and not isinstance(caught.error, RuntimeRefusalError):
        message = str(caught.error)
        return Verdict("refused", _pattern(message), message, network.labels)
    return Verdict("traceback", caught.place, caught.detail, network.labels)


def _compared(
    description: Description, network: Network, executed: Executed, frames: Array, design: Design
) -> Verdict:
    host = host_of(design)
    encoded = host.encode(frames)
    if description.entry.input_type and not np.array_equal(host.encode(integer_frames(description)), encoded):
        return Verdict("wrong", "integers as frames", "they enter as others than floats do", network.labels)
    got = host.decode(golden_outputs(design.graph, encoded))
    return _verdict(description, network, executed, design, got)


def _verified(verdict: Verdict, prepared: Prepared) -> Verdict:
    """The verdict, with what a build's own verification finds: it must find what the oracle finds."""
    found = hold_to_model(prepared)
    listed = [f"  {each.node}: {each.first}" for each in found.tensors if each.mismatches]
    if verdict.kind == "wrong":
        seen = "sees it as well" if listed else "does not see it"
        return replace(verdict, detail=f"{verdict.detail}\nthe build's own verification {seen}")
    if listed:
        detail = "\n".join(["the build's own verification finds differences, and the oracle none:", *listed])
        return Verdict("wrong", "verification", detail, verdict.labels)
    return verdict


def prepare_network(description: Description, network: Network) -> Prepared:
    """The design of the network, and what it can be held to; raises as Thresher does."""
    model = parse_model(network.proto.SerializeToString(), "fuzz.onnx")
    with _in_haste(folds=description.frames_seed % _FOLDED_OF == 0):
        return prepare(model, options_of(description))


@contextmanager
def _in_haste(folds: bool) -> Iterator[None]:
    """Installed packages are looked up once, and layers are not folded, which changes no integer."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch("thresher.kernels.installed.entry_points", _entry_points))
        if not folds:
            stack.enter_context(mock.patch("thresher.building.fold", lambda layers, options: layers))
        yield


_entry_points = functools.cache(importlib.metadata.entry_points)


def options_of(description: Description) -> BuildOptions:
    """The options that the description asks for."""
    entry = description.entry
    return BuildOptions(
        input_type=parse_input_type(entry.input_type) if entry.input_type else None,
        input_scale=entry.scale if entry.input_type else None,
        argmax=description.argmax,
        add_bits=description.add_bits,
    )


def _verdict(
    description: Description, network: Network, executed: Executed, design: Design, got: Array
) -> Verdict:
    want = executed.outputs
    chosen = description.argmax and network.output.state != "index"
    wanted = want.reshape(len(want), -1).argmax(axis=1) if chosen else want
    if got.shape != wanted.shape:
        detail = f"got the shape {list(got.shape)}, want {list(wanted.shape)}"
        return Verdict("wrong", "shape", detail, network.labels)
    # Zeros of either sign are one number.
    differ = np.flatnonzero((got != wanted).reshape(len(got), -1).any(axis=1))
    if not differ.size:
        return Verdict("ok", labels=network.labels, frames=len(got))
    ties, unexplained = 0, 0
    for frame in differ[:_MOST_FRAMES].tolist():
        reason = explained(network, executed, design, frame, got[frame], chosen)
        unexplained += reason is None
        ties += reason == "tie"
    if not unexplained:
        return Verdict("tie" if ties else "ok", "", "", network.labels, len(got))
    frame = int(differ[0])
    detail = (
        f"{differ.size} of {len(got)} frames differ; in frame {frame}\n"
        f"  got  {got[frame].reshape(-1)[:12]}\n  want {np.asarray(wanted[frame]).reshape(-1)[:12]}"
    )
    return Verdict("wrong", "values", detail, network.labels, len(got), unexplained)


def explained(
    network: Network, executed: Executed, design: Design, frame: int, got: Array, chosen: bool
) -> str | None:
    """Why `got` may differ from the oracle in a frame: a `tie`, or `rounding` of a float output.

    None where neither can be. Sums in fixed point may be off by what the report states.
    """
    allowed = {each.onnx_node: each.error for each in design.lowered.approximations}
    bounds = Bounds(network.proto, executed, frame, allowed).run()
    if bounds.undecided:
        return "tie"
    want = executed.outputs[frame].astype(np.float64)
    error = 2 * bounds.error(executed.output).reshape(-1)
    if chosen:
        flat = want.reshape(-1)
        close = flat[int(np.max(got))] + error[int(np.max(got))] >= (flat - error).max()
        return "tie" if close and error.any() else None
    error = error + _host_rounding(design, want)
    within = np.abs(np.asarray(got, np.float64).reshape(-1) - want.reshape(-1)) <= error
    return "rounding" if within.all() else None


def _host_rounding(design: Design, want: Array) -> Array:
    """The host multiplies integers by a scale and may add an offset; nothing where neither is rounded."""
    end = design.lowered.output
    scale, offset = end.scale.astype(np.float64), end.offset.astype(np.float64)
    if has_few_bits(scale) and has_few_bits(offset):
        return np.zeros(want.size)
    moved = np.max(np.abs(offset)) + np.max(np.abs(scale * end.zero))
    size: Array = np.abs(want.reshape(-1)) + moved
    return _HOST_ROUNDINGS * 2.0**-24 * size


def _pattern(message: str) -> str:
    """A message without names and numbers."""
    message = re.sub(r"'[^']*'", "'...'", " ".join(message.split()))
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "N", message)[:200]
