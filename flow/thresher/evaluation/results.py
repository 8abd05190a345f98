"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from thresher.evaluation.timing import Processor

SCHEMA = 1


@dataclass(frozen=True)
class Level:
    """One way of computing the network, with what is known of it.

    `accuracy` is a fraction of `images`. `seconds_per_image` are of throughput: many images at once on a CPU,
    one behind the other in an accelerator that never rests; `latency_seconds` are of one by itself. `bytes`
    are those of the parameters as they are stored. `mismatches` are beats of a simulation that differ from
    the golden model.
    """

    name: str
    title: str
    images: int
    accuracy: float | None = None
    seconds_per_image: float | None = None
    latency_seconds: float | None = None
    engine: str = ""
    bytes: int | None = None
    mismatches: int | None = None
    cycles_per_frame: float | None = None

    def to_json(self) -> dict[str, object]:
        """What is known, as plain JSON values; the rest is left out."""
        return {key: value for key, value in vars(self).items() if value is not None and value != ""}


@dataclass(frozen=True)
class Evaluation:
    """Levels in the order of the flow; ratios are to the first of them.

    `float32_bytes` are those that the weights of the accelerator would take as float32. The times of the
    accelerator are without the `host_parts` of the model.
    """

    model: str
    dataset: str
    clock_mhz: float
    levels: tuple[Level, ...]
    float32_bytes: int
    host_parts: tuple[str, ...] = ()
    processor: Processor = field(default_factory=Processor.here)

    @property
    def mismatches(self) -> int:
        """Beats of all simulations that differ from the golden model."""
        return sum(level.mismatches or 0 for level in self.levels)

    @property
    def ratios(self) -> Mapping[str, Mapping[str, float]]:
        """By level: how many times `faster` (by throughput), and `smaller`, than the first, where known.

        Where the first has no size, that is than the accelerator's own weights in float32.
        """
        first = self.levels[0]
        size = first.bytes if first.bytes is not None else self.float32_bytes
        found: dict[str, dict[str, float]] = {}
        for level in self.levels[1:]:
            ratios = {}
            if first.seconds_per_image and level.seconds_per_image:
                ratios["faster"] = first.seconds_per_image / level.seconds_per_image
            if level.bytes:
                ratios["smaller"] = size / level.bytes
            if ratios:
                found[level.name] = ratios
        return found

    def to_json(self) -> dict[str, object]:
        """All of it as plain JSON values."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "dataset": self.dataset,
            "clock_mhz": self.clock_mhz,
            "cpu": self.processor.to_json(),
            "float32_bytes": self.float32_bytes,
            "host_parts": list(self.host_parts),
            "levels": [level.to_json() for level in self.levels],
            "reference": self.levels[0].name,
            "ratios": {name: dict(ratios) for name, ratios in self.ratios.items()},
        }
