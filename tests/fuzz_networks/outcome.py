"""What came of one seed, and where a failure is kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.fuzz_networks.description import Description, make_frames, write_network
from tests.fuzz_networks.generate import random_description
from tests.fuzz_networks.judge import Verdict, judge
from tests.fuzz_networks.shrink import shrink
from tests.fuzz_networks.values import InvalidError


@dataclass(frozen=True, eq=False)
class Outcome:
    """The verdict on the network of `seed`, and what it was shrunk to if it fails."""

    seed: int
    verdict: Verdict
    small: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is a fault."""
        return self.verdict.failed

    @property
    def summary(self) -> str:
        """The failure in a line or two."""
        return f"{self.verdict.what}; {self.small}"


def fuzz(seed: int, folder: Path, verified_of: int = 1) -> Outcome:
    """Judge the network of `seed`; a failure is made smaller and kept in `folder`.

    One network of `verified_of` is held to a build's own verification as well, and none where that is 0.
    """
    description = random_description(seed)
    verifies = verified_of > 0 and seed % verified_of == 0
    verdict = judge(description, verifies)
    if not verdict.failed:
        return Outcome(seed, verdict)
    small, found = shrink(description, verifies)
    keep(seed, small, found, folder)
    return Outcome(seed, verdict, " -> ".join(type(step).__name__ for step in small.steps))


def keep(seed: int, description: Description, verdict: Verdict, folder: Path) -> None:
    """Write the model, its frames, and a text that says what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"network{seed}"
    lines = [
        f"seed {seed}: {verdict.kind} {verdict.what}",
        verdict.detail,
        "",
        f"entry {printed(description.entry)}; {printed(description.style)}",
        f"argmax {description.argmax}, add_bits {description.add_bits}",
        *(f"{place} {printed(step)}" for place, step in enumerate(description.steps, start=1)),
    ]
    stem.with_suffix(".txt").write_text("\n".join(lines) + "\n")
    try:
        network = write_network(description)
    except InvalidError:
        return
    stem.with_suffix(".onnx").write_bytes(network.proto.SerializeToString())
    np.save(stem.with_suffix(".npy"), make_frames(description))
    lines.append(onnx.printer.to_text(network.proto))
    stem.with_suffix(".txt").write_text("\n".join(lines) + "\n")


def printed(part: Any) -> str:
    """A dataclass with the fields that are not their defaults."""
    values = [(each, getattr(part, each.name)) for each in fields(part)]
    shown = [f"{each.name}={value!r}" for each, value in values if value != each.default]
    return f"{type(part).__name__}({', '.join(shown)})"
