"""`thresher synth --tool nextpnr-ecp5`: the accelerator mapped, placed, routed, and packed to a bitstream."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.emit.byte_top import BYTE_TOP, byte_top
from thresher.errors import ToolFailedError, UsageError
from thresher.tools.ecp5 import DEFAULT_ECP5, Ecp5Device, is_ecp5, parse_ecp5
from thresher.tools.nextpnr_report import RoutedDesign, find_overuse, read_report
from thresher.tools.open_synthesis import (
    ecppack,
    find_ecppack,
    find_nextpnr_ecp5,
    nextpnr_ecp5,
    require_slang,
)
from thresher.tools.synthesis import Announce, Synthesis, SynthesisRequest
from thresher.tools.workplace import kept_folder, workplace
from thresher.tools.yosys_synthesis import copy_sources, map_module
from thresher_sim.project import Project

TOOL = "nextpnr-ecp5"
LOG = "nextpnr.log"
CONFIGURATION = "accelerator.config"
TRIED = "tried.config"
BITSTREAM = "accelerator.bit"
# Clock, reset and the handshakes of both streams, with tlast.
_OTHER_PINS = 7


@dataclass(frozen=True)
class _Top:
    """The module that gets the pins, and what a reader has to know of it."""

    name: str
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Tries:
    """The best design, and the clock that each seed reached."""

    design: RoutedDesign
    reached: Mapping[int, float]

    @property
    def note(self) -> str:
        """Which seed it is of, and what the others gave."""
        best = max(self.reached, key=lambda seed: self.reached[seed])
        others = [f"seed {seed} gave {fmax:g} MHz" for seed, fmax in self.reached.items() if seed != best]
        return f"placed with --seed {best}" + (f"; {_join(others)}" if others else "")


def synthesise(project: Project, request: SynthesisRequest, announce: Announce) -> Synthesis:
    """Route the whole for an ECP5 and write its bitstream; an adapter, see `synthesis.Adapter`.

    Raises:
        UsageError: units were asked for, or a part that is no ECP5.
        MissingToolError: Yosys, nextpnr-ecp5 or ecppack is not there.
        ToolFailedError: one of them fails, as where the part is too small. That the clock is not met is no
            failure here, see `Synthesis.check_timing`.
    """
    part, notes = _choose_part(request)
    device = parse_ecp5(part)
    versions = f"Yosys {require_slang().version}, nextpnr {find_nextpnr_ecp5().version}"
    versions += f", ecppack {find_ecppack().version}"
    started = time.perf_counter()
    with workplace(project, TOOL) as work:
        top = _write_top(project, device, work)
        announce(f"{top.name}: mapping to ecp5")
        mapped = map_module(top.name, top.sources, "ecp5", work, announce, json="accelerator.json")
        announce(f"{top.name}: placing and routing for {part}")
        tries = route_best(project, part, device, request, work, announce)
        design = tries.design
        announce(f"{top.name}: {design.fmax_mhz:g} MHz; writing the bitstream")
        ecppack([CONFIGURATION, BITSTREAM], work)
    return Synthesis(
        tool=TOOL,
        tool_version=versions,
        part=part,
        target_mhz=project.clock_mhz,
        total=design.usage,
        seconds=round(time.perf_counter() - started, 1),
        fmax_mhz=design.fmax_mhz,
        seeded=True,
        critical_path=design.ends or None,
        notes=(*notes, tries.note, top.note, *mapped.notes(top.name)),
        files=(str((kept_folder(project, TOOL) / BITSTREAM).relative_to(project.root)),),
    )


def _choose_part(request: SynthesisRequest) -> tuple[str, tuple[str, ...]]:
    if request.layers:
        raise UsageError(
            "synth: nextpnr-ecp5 routes the accelerator as a whole; leave --layers out, or use --tool yosys "
            "--family ecp5 for units alone"
        )
    if request.family not in (None, "ecp5"):
        raise UsageError(
            f"synth: nextpnr-ecp5 routes for ECP5 only, not for {request.family}; leave --family out"
        )
    if is_ecp5(request.part) or request.part_given:
        return request.part, ()
    note = (
        f"the project's part {request.part} is no ECP5, so it was routed for {DEFAULT_ECP5}; its units are "
        f"pipelined for {request.part}: build with --part {DEFAULT_ECP5} for the delays of ECP5"
    )
    return DEFAULT_ECP5, (note,)


def _write_top(project: Project, device: Ecp5Device, work: Path) -> _Top:
    """Copy the sources; where the pins do not suffice, the top is the one with streams of a byte."""
    sources = copy_sources(project, project.top, work)
    ins, outs = (stream.layout.bytes_per_beat for stream in (project.input, project.output))
    pins = 8 * (ins + outs) + _OTHER_PINS
    if pins <= device.pins:
        return _Top(project.top, tuple(sources), "its streams are at pins, the choice of nextpnr")
    (work / f"{BYTE_TOP}.sv").write_text(byte_top(ins, outs), encoding="utf-8")
    note = (
        f"its streams have {pins} pins and the package {device.pins}, so '{BYTE_TOP}' was routed, with "
        "streams of one byte: the figures have its registers and look-up tables in them; the pins are "
        "nextpnr's choice"
    )
    return _Top(BYTE_TOP, (*sources, f"{BYTE_TOP}.sv"), note)


def route_best(
    project: Project, part: str, device: Ecp5Device, request: SynthesisRequest, work: Path, announce: Announce
) -> Tries:
    """Route with one seed after the other until the clock is met; the configuration of the best is kept.

    Raises as `route`.
    """
    reached: dict[int, float] = {}
    best: RoutedDesign | None = None
    for seed in range(request.seed, request.seed + request.seeds):
        design = route(project, part, device, seed, work)
        reached[seed] = design.fmax_mhz
        if best is None or design.fmax_mhz > best.fmax_mhz:
            best = design
            (work / TRIED).replace(work / CONFIGURATION)
        if design.fmax_mhz >= project.clock_mhz:
            break
        announce(f"seed {seed}: {design.fmax_mhz:g} MHz")
    assert best is not None
    return Tries(best, reached)


def route(project: Project, part: str, device: Ecp5Device, seed: int, work: Path) -> RoutedDesign:
    """Place and route `accelerator.json` in `work`, and write its configuration there, `TRIED`.

    Raises:
        ToolFailedError: nextpnr-ecp5 fails, or the part is too small.
    """
    arguments = [
        *device.options,
        *("--json", "accelerator.json", "--textcfg", TRIED, "--report", "report.json"),
        *("--log", LOG, "--freq", f"{project.clock_mhz:g}", "--seed", str(seed)),
        *("--timing-allow-fail", "--lpf-allow-unconstrained"),
    ]
    try:
        nextpnr_ecp5(arguments, work)
    except ToolFailedError:
        _check_size(part, work / LOG)
        raise
    return read_report(work / "report.json")


def _check_size(part: str, log: Path) -> None:
    """Raise `ToolFailedError` if the log says that the part has too little of something."""
    overuse = find_overuse(log.read_text(encoding="utf-8")) if log.is_file() else {}
    if overuse:
        figures = _join([f"{used:,} {kind} of {there:,}" for kind, (used, there) in overuse.items()])
        raise ToolFailedError(
            f"synth: nextpnr-ecp5: part '{part}' is too small: the design takes {figures}; give a larger "
            "part with --part, or build with a lower --target-fps"
        ) from None


def _join(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
