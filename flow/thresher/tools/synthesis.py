"""What a synthesis tool is asked, and what it says of a project.

Each tool has one adapter, a function from a project and a request to a `Synthesis`; `synthesisers` lists
them. A `Synthesis` becomes one entry of `synthesis` in `reports/report.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from thresher.errors import ToolFailedError, UsageError
from thresher_sim.project import Project

Announce = Callable[[str], None]
SEEDS = 3
"""How many seeds are tried where nothing else is said."""


@dataclass(frozen=True)
class Usage:
    """What a tool used: look-up tables, flip-flops, 36-kbit block RAMs, DSP slices.

    `lut` counts all look-up tables, those that hold words included. `logic_cells` is the tool's own
    estimate of how many remain once small ones share a cell, where it gives one. Of ECP5, whose
    look-up tables have 4 inputs and whose memories 18 kbit, `lut` counts the former and two of the latter
    are one of `bram36`.
    """

    lut: int
    ff: int
    bram36: float
    dsp: int
    logic_cells: int | None = None

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; what the tool did not give is not among them."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Synthesis:
    """One run of a tool on a whole project; figures that it did not give are None or absent.

    Attributes:
        tool: as `thresher synth --tool` names it.
        tool_version: in its own words; of several programs, all of them.
        part: the part, or the family where the tool knows families only.
        target_mhz: the clock that was asked for.
        total: the accelerator as a whole; None where only units were asked for.
        seconds: of wall clock.
        layers: each unit out of context, by the name of its layer.
        fmax_mhz: of the routed design, None where nothing was routed.
        seeded: whether the clock hangs on the request's seed.
        missed: what else of the timing is not met than the clock of the routed design, or None.
        critical_path: where the slowest path of the routed design runs, in the tool's names.
        notes: what a reader of the figures has to know of how they were made.
        files: what the run left that a user may want, relative to the project.
    """

    tool: str
    tool_version: str
    part: str
    target_mhz: float
    total: Usage | None
    seconds: float
    layers: Mapping[str, Usage] = field(default_factory=dict)
    fmax_mhz: float | None = None
    seeded: bool = False
    missed: str | None = None
    critical_path: str | None = None
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """An entry of `synthesis` in the report; what the tool did not give is not in it."""
        data: dict[str, object] = {
            "tool": self.tool,
            "tool_version": self.tool_version,
            "part": self.part,
            "target_mhz": self.target_mhz,
            **(self.total.to_json() if self.total else {}),
            "fmax_mhz": self.fmax_mhz,
            "missed": self.missed,
            "critical_path": self.critical_path,
            "seconds": self.seconds,
            "layers": {name: usage.to_json() for name, usage in self.layers.items()},
            "notes": list(self.notes),
            "files": list(self.files),
        }
        return {key: value for key, value in data.items() if value is not None}

    def check_timing(self) -> None:
        """Do nothing where the timing is met, or nothing is known of it.

        Raises:
            ToolFailedError: it is not met.
        """
        if self.missed is not None:
            raise ToolFailedError(
                f"synth: {self.tool}: timing is not met: {self.missed}; build for a slower clock with "
                "--clock-mhz or for a faster part"
            )
        if self.fmax_mhz is None or self.fmax_mhz >= self.target_mhz:
            return
        late = 1000 / self.fmax_mhz - 1000 / self.target_mhz
        path = f" on the path {self.critical_path}" if self.critical_path else ""
        seed = "more --seeds may do where little is missing, or " if self.seeded else ""
        raise ToolFailedError(
            f"synth: {self.tool}: timing is not met: {self.fmax_mhz:.1f} MHz of {self.target_mhz:g}, by "
            f"{late:.2f} ns{path}; {seed}build for a slower clock with --clock-mhz or for a faster part"
        )


@dataclass(frozen=True)
class SynthesisRequest:
    """What is asked of a tool; the clock is the project's.

    Attributes:
        part: a checked part number: the one that was asked for, or else the project's.
        part_given: whether it was asked for.
        family: `xc7`, `xcup` or `ecp5` where a family was asked for instead, which only Yosys takes.
        layers: the units to synthesise out of context, None for all.
        top: whether the accelerator as a whole is synthesised too.
        jobs: programs that may run at the same time.
        seed: of what a tool chooses at random.
        seeds: how many seeds to try, from `seed` on, until the clock is met; the best is kept.
    """

    part: str
    part_given: bool = False
    family: str | None = None
    layers: tuple[str, ...] | None = None
    top: bool = True
    jobs: int = 1
    seed: int = 1
    seeds: int = SEEDS

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError(f"synth: {self.jobs} jobs cannot be; choose 1 or more")
        if self.seed < 0:
            raise UsageError(f"synth: a seed of {self.seed} cannot be; choose 0 or more")
        if self.seeds < 1:
            raise UsageError(f"synth: {self.seeds} seeds cannot be; choose 1 or more")

    def chosen_layers(self, project: Project) -> tuple[str, ...]:
        """The names of the units to synthesise out of context.

        Raises:
            UsageError: the project has no layer of a name that was asked for.
        """
        names = tuple(layer.name for layer in project.layers)
        unknown = [name for name in self.layers or () if name not in names]
        if unknown:
            raise UsageError(
                f"synth: project '{project.name}' has no layer {unknown[0]!r}; choose of {', '.join(names)}"
            )
        return names if self.layers is None else self.layers


def record_synthesis(
    entries: Sequence[Mapping[str, object]], entry: Mapping[str, object]
) -> list[Mapping[str, object]]:
    """The entries of a report with one more, in place of that of the same tool and part.

    Where only units were asked for, the others and the whole stay as they were, if the clock is the same.
    """
    keys = ("tool", "part", "target_mhz")
    same = [old for old in entries if all(old.get(key) == entry[key] for key in keys)]
    if same and "lut" not in entry:
        layers = {**_layers(same[0]), **_layers(entry)}
        newer = {key: entry[key] for key in ("tool_version", "simulated") if key in entry}
        entry = {**same[0], **newer, "layers": layers}
    return [*(old for old in entries if any(old.get(key) != entry[key] for key in keys[:2])), entry]


def _layers(entry: Mapping[str, object]) -> Mapping[str, object]:
    layers = entry["layers"]
    assert isinstance(layers, Mapping)
    return layers


# An adapter announces each step to the last argument, and raises `MissingToolError` and `ToolFailedError`.
# Its scripts and logs stay in `workplace.kept_folder(project, tool)`.
Adapter = Callable[[Project, SynthesisRequest, Announce], Synthesis]
