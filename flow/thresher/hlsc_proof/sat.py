"""Prove with Yosys' SAT solver that a compiled unit does what its C++ does, for so many cycles.

The proof is of the printed SystemVerilog, with the cells that it uses. It is held against a second
translation, of the LLVM IR that clang makes of the C++, which shares no code with hlsc. So all of hlsc is
covered: its reader, front end, optimisations, schedule and printer. What is trusted is clang, its front
end and its optimiser; llvmlite, which reads the IR; and Yosys. Registers that have no reset, memories
included, begin with anything at all, and not with the same in both.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from thresher.errors import MissingToolError, ThresherError, ToolFailedError, UsageError
from thresher.hlsc.clang import UnitSource
from thresher.hlsc.compiler import compile_unit
from thresher.hlsc_proof.checked import checked_text
from thresher.hlsc_proof.harness import QUEUE, Harness, harness_text
from thresher.hlsc_proof.reference import NAME, Reference, reference_of
from thresher.hlsc_proof.streams import Stream
from thresher.hlsc_proof.trace import read_cycles, shown_signals, trace_text
from thresher.share import share_dir
from thresher.tools.open_synthesis import find_yosys, yosys

SEEN = 3
"""The beats that each output must be able to give within the bound, or the proof is worth nothing."""

MODULE = "proved_unit"
"""The name that a unit's module has in a proof."""

_SCRIPT = """\
design -reset
read_slang --threads 1 --top check {files}
hierarchy -check -top check
proc
setattr -mod -unset keep_hierarchy *
flatten
setattr -set keep 1 {kept}
memory -nomap
memory_map
opt_expr
opt_merge
opt_clean
tee -o {name}.failed.log sat -prove failed_o 0 -tempinduct-baseonly -maxsteps {steps} {show}
tee -o {name}.seen.log sat -prove seen_o 0 -tempinduct-baseonly -maxsteps {steps} -show seen_o
"""

_SCRIPT_OF_UNDEFINED = """\
tee -o {name}.undefined.log sat -prove undefined_o 0 -tempinduct-baseonly -maxsteps {steps} -show undefined_o
"""


class DisprovedError(ThresherError):
    """A unit differs from its C++."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True)
class Claim:
    """That the module `MODULE` in `verilog` does what `reference` does, with a latency of `stages`.

    `cells` are the modules that it uses, `cycles` those after reset for which this is to be proved.
    """

    unit: str
    reference: Reference
    verilog: str
    stages: int
    cells: tuple[str, ...]
    cycles: int


@dataclass(frozen=True)
class Proof:
    """What came of a claim.

    `counterexample` is empty if it is proved, else the trace of a run in which the unit is at fault.
    `has_undefined` says that in some runs the C++ does what has no meaning, after which nothing is held.
    `seconds` is the time of the run of Yosys that decided this claim and those given with it.
    """

    unit: str
    cycles: int
    stages: int
    seconds: float
    counterexample: str
    has_undefined: bool = False

    @property
    def proved(self) -> bool:
        """Whether no sequence of inputs and stalls makes the unit differ from its C++."""
        return not self.counterexample

    def check(self) -> None:
        """Raise `DisprovedError`, with the last fault of the counterexample, unless it is proved."""
        if self.counterexample:
            raise DisprovedError(
                f"proof: unit '{self.unit}': {self.counterexample.splitlines()[-1]}; give every member that "
                "its outputs depend on an initial value; where they all have one, report a fault of hlsc"
            )


def prove(source: UnitSource, clock_mhz: float, cycles: int, family: str = "xc7") -> Proof:
    """Prove that a unit, compiled for a clock, does what its C++ does in `cycles` cycles after reset.

    Raises:
        UsageError: the bound is not positive, or so low that some output cannot give `SEEN` beats.
        ToolFailedError: Yosys fails.
        MissingToolError: there is no Yosys, or none that reads all of SystemVerilog.
        ThresherError: as `compile_unit`.
    """
    return decide([claim(source, clock_mhz, cycles, family)])[0]


def claim(source: UnitSource, clock_mhz: float, cycles: int, family: str = "xc7") -> Claim:
    """What `prove` proves.

    Raises:
        DisprovedError: the module has other streams than the C++.
        UntranslatedError: the C++ has something that the reference cannot translate.
        MissingToolError: there is no llvmlite.
        ThresherError: as `compile_unit`.
    """
    unit = compile_unit(source, MODULE, clock_mhz, family)
    reference = reference_of(source.type_name, checked_text(source))
    streams = [_pairs(side) for side in (reference.streams.inputs, reference.streams.outputs)]
    if streams != [unit.inputs, unit.outputs]:
        raise DisprovedError(
            f"proof: unit '{source.type_name}': its module has the streams {unit.inputs} and {unit.outputs}, "
            f"where its C++ has {streams[0]} and {streams[1]}; report a fault of hlsc"
        )
    asked = replace(reference, streams=replace(reference.streams, asked=unit.asked))
    return Claim(source.type_name, asked, unit.verilog, unit.stages, unit.cells, cycles)


def _pairs(streams: Sequence[Stream]) -> tuple[tuple[str, int], ...]:
    return tuple((stream.name, stream.width) for stream in streams)


def decide(claims: Sequence[Claim]) -> list[Proof]:
    """Decide claims in one run of Yosys; raises as `prove`."""
    for wanted in claims:
        check_cycles(wanted.unit, wanted.cycles)
    program = find_yosys()
    if not program.slang:
        raise MissingToolError(
            f"proof: Yosys {program.version} ('{' '.join(program.command)}') cannot read SystemVerilog: "
            "it has no read_slang; run `pip install thresher[synth]`, or install Yosys' plugin slang"
        )
    with tempfile.TemporaryDirectory(prefix="thresher-proof-") as name:
        folder = Path(name)
        for cell in (QUEUE, *sorted(share_dir("rtl").glob("*.sv"))):
            shutil.copy(cell, folder)
        script = "".join(_prepare(wanted, f"claim{place}", folder) for place, wanted in enumerate(claims))
        begin = time.perf_counter()
        yosys(script, folder)
        seconds = time.perf_counter() - begin
        return [_proof(wanted, f"claim{place}", folder, seconds) for place, wanted in enumerate(claims)]


def check_cycles(unit: str, cycles: int) -> None:
    """Raise `UsageError` where a bound is not positive."""
    if cycles < 1:
        raise UsageError(f"proof: unit '{unit}': {cycles} cycles prove nothing; give a positive number")


def _prepare(wanted: Claim, name: str, folder: Path) -> str:
    """Write what a claim needs; return its part of the script."""
    harness = Harness(MODULE, NAME, wanted.reference.streams, wanted.stages, SEEN)
    texts = {
        f"{name}_check.sv": harness_text(harness, "check"),
        f"{name}_reference.sv": wanted.reference.text,
        f"{name}_unit.sv": wanted.verilog,
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    files = [*texts, QUEUE.name, *(f"{cell}.sv" for cell in wanted.cells)]
    shown = shown_signals(wanted.reference.streams)
    script = _SCRIPT + _SCRIPT_OF_UNDEFINED * wanted.reference.may_be_undefined
    return script.format(
        name=name,
        files=" ".join(files),
        steps=wanted.cycles + 1,
        # What is shown must be there, even where neither the unit nor its C++ looks at it.
        kept=" ".join(f"w:{signal}" for signal in shown),
        show=" ".join(f"-show {signal}" for signal in shown),
    )


def _proof(wanted: Claim, name: str, folder: Path, seconds: float) -> Proof:
    failed = (folder / f"{name}.failed.log").read_text(encoding="utf-8")
    trace = "" if _holds(wanted, failed) else trace_text(wanted.reference.streams, read_cycles(failed))
    undefined = folder / f"{name}.undefined.log"
    has_undefined = undefined.exists() and not _holds(wanted, undefined.read_text(encoding="utf-8"))
    if not trace and _holds(wanted, (folder / f"{name}.seen.log").read_text(encoding="utf-8")):
        raise UsageError(
            f"proof: unit '{wanted.unit}': no run of {wanted.cycles} cycles has {SEEN} beats at every output "
            "after one had to wait, so a proof would say little; give more cycles"
        )
    return Proof(wanted.unit, wanted.cycles, wanted.stages, seconds, trace, has_undefined)


def _holds(wanted: Claim, log: str) -> bool:
    """Whether Yosys' `sat` found no run against what it was to prove."""
    if "proved base case for" in log:
        return True
    if "model found for base case" in log:
        return False
    raise ToolFailedError(f"proof: unit '{wanted.unit}': Yosys' sat gives no answer; it ends: {log[-200:]}")
