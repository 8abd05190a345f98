"""Whether Thresher's golden model gives what the model gives."""

from __future__ import annotations

import functools
import importlib.metadata
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal
from unittest import mock

import numpy as np

from tests.fuzz_networks.bounds import Bounds
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
from thresher.building import BuildOptions, make_design, parse_input_type
from thresher.emit.design import Design
from thresher.errors import ThresherError
from thresher.hardware.golden import golden_outputs
from thresher.host import Host
from thresher.onnx_import import parse_model
from thresher.onnx_import.host import HostModel

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


def judge(description: Description) -> Verdict:
    """Build the network of `description` and hold its golden model to the oracle.

    An error of the fuzzer itself makes the network `invalid`.
    """
    with Caught() as caught:
        return _judged(description)
    return Verdict("invalid", f"fuzzer: {caught.place}", caught.detail)


def _judged(description: Description) -> Verdict:
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
        return _compared(description, network, executed, frames)


def _compared(description: Description, network: Network, executed: Executed, frames: Array) -> Verdict:
    with Caught() as caught:
        design = design_of(description, network)
        host = host_of(design)
        encoded = host.encode(frames)
        got = host.decode(golden_outputs(design.graph, encoded))
        alike = not description.entry.input_type or np.array_equal(
            host.encode(integer_frames(description)), encoded
        )
    if isinstance(caught.error, ThresherError):
        message = str(caught.error)
        return Verdict("refused", _pattern(message), message, network.labels)
    if caught.error is not None:
        return Verdict("traceback", caught.place, caught.detail, network.labels)
    if not alike:
        return Verdict("wrong", "integers as frames", "they enter as others than floats do", network.labels)
    return _verdict(description, network, executed, design, got)


def design_of(description: Description, network: Network) -> Design:
    """The design of the network; raises as Thresher does."""
    model = parse_model(network.proto.SerializeToString(), "fuzz.onnx")
    with _in_haste(folds=description.frames_seed % _FOLDED_OF == 0):
        return make_design(model, options_of(description))


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


def host_of(design: Design) -> Host:
    """The host's side of a design."""
    return Host(
        design.lowered,
        HostModel(design.prologue) if design.prologue else None,
        HostModel(design.epilogue) if design.epilogue else None,
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
    if error.any():
        # The host multiplies integers by a scale that is rounded, and may add an offset.
        error = error + _HOST_ROUNDINGS * 2.0**-24 * np.abs(want.reshape(-1))
    within = np.abs(np.asarray(got, np.float64).reshape(-1) - want.reshape(-1)) <= error
    return "rounding" if within.all() else None


def _pattern(message: str) -> str:
    """A message without names and numbers."""
    message = re.sub(r"'[^']*'", "'...'", " ".join(message.split()))
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "N", message)[:200]
