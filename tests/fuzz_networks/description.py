"""A network as a list of steps, small enough to be printed, and simple to be made smaller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import onnx

from tests.fuzz_networks.values import Array, Emitter, Shape, Step, Style, Value


@dataclass(frozen=True)
class Entry:
    """The model's input: floats, or where the hardware takes it, integers of `input_type` times `scale`."""

    shape: Shape = (1,)
    input_type: str = ""
    scale: float = 1.0

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest integer."""
        if self.input_type == "bipolar":
            return -1, 1
        bits = int(self.input_type.removeprefix("u").removeprefix("int"))
        if self.input_type.startswith("u"):
            return 0, 2**bits - 1
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    @property
    def value(self) -> Value:
        """The input as a value."""
        if not self.input_type:
            return Value("x", self.shape, "float", np.array([2.0]))
        most = max(abs(limit) for limit in self.limits)
        spread = np.array([max(1.0, most / 2) * self.scale])
        return Value("x", self.shape, "levels", spread, most, self.scale)


@dataclass(frozen=True)
class Description:
    """A network and the options to build it with; the last step writes the output."""

    entry: Entry
    steps: tuple[Step, ...]
    style: Style = field(default_factory=Style)
    argmax: bool = False
    add_bits: int = 16
    frames_seed: int = 0

    def pruned(self) -> Description:
        """Without the steps that the last one does not depend on."""
        needed = {len(self.steps)}
        for place in range(len(self.steps), 0, -1):
            if place in needed:
                needed.update(self.steps[place - 1].sources)
        kept = [place for place in range(1, len(self.steps) + 1) if place in needed]
        numbers = {0: 0} | {place: number for number, place in enumerate(kept, start=1)}
        steps = (self.steps[place - 1] for place in kept)
        return replace(
            self,
            steps=tuple(
                replace(step, sources=tuple(numbers[place] for place in step.sources)) for step in steps
            ),
        )


@dataclass(frozen=True, eq=False)
class Network:
    """A written network: the model, and how often it has what."""

    proto: onnx.ModelProto
    labels: Counter[str]
    output: Value


def write_network(description: Description) -> Network:
    """Write the model of `description`.

    Raises:
        InvalidError: It is no network.
    """
    emitter, values = Emitter(description.style), [description.entry.value]
    for step in description.steps:
        values.append(step.emit(emitter, [values[place] for place in step.sources]))
    labels = emitter.labels
    labels[f"opset {description.style.opset}"] += 1
    labels[f"style {'dyadic' if description.style.dyadic else 'any constants'}"] += 1
    labels[f"input {description.entry.input_type or 'float'}"] += 1
    labels["option argmax"] += description.argmax
    labels["option add_bits"] += description.add_bits != 16
    labels["constants as nodes"] += description.style.constant_nodes
    return Network(emitter.model(description.entry.shape, values[-1]), +labels, values[-1])


def integer_frames(description: Description, count: int = 20) -> Array:
    """Frames `[count, ...]` of the integers that the hardware takes, in bytes."""
    random, entry = np.random.default_rng(description.frames_seed), description.entry
    low, high = entry.limits
    values = random.integers(low, high + 1, (count, *entry.shape))
    values[::4] = np.where(random.random(values[::4].shape) < 0.5, low, high)
    values[0], values[1] = low, high
    if entry.input_type == "bipolar":
        values = np.where(values > 0, 1, -1)
    return values.astype(np.int8 if low < 0 else np.uint8)


def make_frames(description: Description, count: int = 20) -> Array:
    """Frames `[count, ...]` of floats: at the ends of the range, on grids, and anywhere in between."""
    random, entry = np.random.default_rng(description.frames_seed), description.entry
    shape = (count, *entry.shape)
    if entry.input_type:
        integers = integer_frames(description, count).astype(np.float64)
        return (integers * entry.scale).astype(np.float32)
    frames = random.normal(0, 2, shape)
    frames[1::4] = random.integers(-8, 9, frames[1::4].shape) / 2
    frames[2::4] = np.where(random.random(frames[2::4].shape) < 0.5, -50, 50)
    frames[0], frames[3], frames[4] = 0, -50, 50
    return frames.astype(np.float32)
