"""A network through C simulation and RTL simulation with stalls, as a project of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import thresher
from tests.fuzz_networks.caught import Caught
from tests.fuzz_networks.description import Description, make_frames, write_network
from tests.fuzz_networks.generate import random_description
from tests.fuzz_networks.judge import Verdict, options_of
from tests.fuzz_networks.outcome import Outcome, keep
from thresher.errors import ThresherError

_FRAMES = 6
# Cycles per frame; without a target layers are folded by default.
_CYCLES = (64, 512, None)


def simulate(seed: int, folder: Path) -> Outcome:
    """Simulate the network of `seed`; a failure is kept in `folder` as it is."""
    description = random_description(seed)
    with tempfile.TemporaryDirectory() as place:
        verdict = _simulated(description, seed, Path(place))
    if verdict.failed:
        keep(seed, description, verdict, folder)
    return Outcome(seed, verdict, "simulated")


def _simulated(description: Description, seed: int, folder: Path) -> Verdict:
    network = write_network(description)
    model, options = folder / "model.onnx", options_of(description)
    model.write_bytes(network.proto.SerializeToString())
    entry = description.entry
    cycles = _CYCLES[seed % len(_CYCLES)]
    with Caught() as caught:
        built = thresher.build(
            model,
            folder / "project",
            target_fps=None if cycles is None else options.clock_mhz * 1e6 / cycles,
            input_type=entry.input_type or None,
            input_scale=entry.scale if entry.input_type else None,
            argmax=description.argmax,
            add_bits=description.add_bits,
        )
        frames = make_frames(description, _FRAMES)
        results = {
            "C simulation": built.csim(frames).mismatches,
            "RTL simulation": built.sim(frames).mismatches,
            "RTL simulation with stalls": built.sim(frames, stall=40, seed=seed % 1000).mismatches,
        }
    if isinstance(caught.error, ThresherError):
        return Verdict("refused", f"simulated: {str(caught.error)[:100]}", str(caught.error))
    if caught.error is not None:
        return Verdict("traceback", f"simulation: {caught.place}", caught.detail, network.labels)
    wrong = [f"{count} beats differ in {what}" for what, count in results.items() if count]
    return Verdict("wrong" if wrong else "ok", "; ".join(wrong), "", network.labels, _FRAMES)
