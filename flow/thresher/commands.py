"""What each subcommand of the command line does; returns the exit code."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from thresher import api
from thresher.building import BuildOptions, build_project, parse_input_type, parse_scale
from thresher.checking import check_graph
from thresher.console import Console
from thresher.emit.files import json_text, write_json
from thresher.emit.yosys import FAMILIES
from thresher.errors import SimulationMismatchError, UsageError
from thresher.evaluation import evaluate as measure
from thresher.float_layers import quantise_floats, sample_request
from thresher.hardware.parts import DEFAULT_PART, family_of
from thresher.hlsc_proof import check_cycles, prove
from thresher.host import load_array
from thresher.inputs import warn_of_layers
from thresher.kernels.installed import custom_operators
from thresher.lower import ADD_BITS
from thresher.onnx_import import import_model, read_model
from thresher.outputs import check_output, check_output_folder, write_output
from thresher.report.chart import check_matplotlib, write_chart
from thresher.report.check import check_summary, check_table
from thresher.report.evaluation import evaluation_table
from thresher.report.kept import write_page
from thresher.report.tables import fifo_table, print_report, print_result, print_synthesis, vitis_line
from thresher.report.verification import verification_line, verification_table
from thresher.tools.simulation import SimulationResult
from thresher.tools.synthesis import SEEDS
from thresher.tools.synthesisers import ADAPTERS
from thresher.tools.workplace import kept_folder
from thresher.unit import UnitRequest, report_text, unit_report, write_unit_project
from thresher_sim.netlist import FAMILIES as NETLIST_FAMILIES
from thresher_sim.scoreboard import UnitOptions
from thresher_sim.streams import IntType
from thresher_sim.tables import resets_line
from thresher_sim.unit import MARKER as UNIT_MARKER
from thresher_sim.unit_command import run_unit

__all__ = [
    "ADAPTERS",
    "ADD_BITS",
    "DEFAULT_PART",
    "FAMILIES",
    "NETLIST_FAMILIES",
    "SEEDS",
    "build",
    "check",
    "csim",
    "evaluate",
    "hlsc",
    "report",
    "sim",
    "synth",
    "verify",
]


def check(options: argparse.Namespace) -> int:
    """Print what becomes of every node; exit code 3 where some node stands in the way."""
    check_output(options.json, "json", (options.model, options.samples), text=True)
    model = read_model(options.model)
    request = sample_request(options.quantize_float, _array(options.samples, "samples"), None)
    input_type, input_scale = _input(options)
    imported = import_model(model, True, custom_operators(), options.drop_input_scale)
    if request is not None and request.bits is not None:
        imported = quantise_floats(imported, request, request.bits, input_type, input_scale).imported
    checked = check_graph(model.name, imported.graph, input_type, input_scale)
    console = Console()
    console.print(check_table(checked.name, checked.reports))
    console.print(check_summary(checked.counts))
    for layer in checked.host_layers:
        if not layer.unintended:
            console.print(layer.sentence, markup=False, highlight=False, soft_wrap=True)
    if options.json is not None:
        write_output(options.json, json_text(checked.to_json()))
        console.print(f"also as {options.json}")
    if not checked.can_be_built:
        console.print(f"{checked.counts['problem']} of {len(checked.reports)} nodes stand in the way")
        return 3
    warn_of_layers(checked.host_layers)
    console.print("the model can be built")
    return 0


def build(options: argparse.Namespace) -> int:
    """Build a project and print its layers."""
    console = Console()
    input_type, input_scale = _input(options)
    build_options = BuildOptions(
        folding=options.folding,
        target_fps=options.target_fps,
        clock_mhz=options.clock_mhz,
        part=options.part,
        board=options.board,
        input_type=input_type,
        input_scale=input_scale,
        argmax=options.argmax,
        fit=options.fit,
        add_bits=options.add_bits,
        drop_input_scale=options.drop_input_scale,
        quantize_float=options.quantize_float,
        samples=_array(options.samples, "samples"),
        labels=_array(options.labels, "labels"),
        verify=not options.no_verify,
    )
    with Console(stderr=True).status("building") as status:
        build_project(
            read_model(options.model),
            options.output,
            build_options,
            announce=lambda step: status.update(f"building: {step}"),
            force=options.force,
        )
    accelerator = api.load(options.output)
    # What it warns of was said on stderr.
    print_report(console, accelerator.report() | {"warnings": []})
    console.print(
        f"project: {options.output}; next: thresher csim {options.output}, thresher sim {options.output}"
    )
    return 0


def verify(options: argparse.Namespace) -> int:
    """Hold a project's golden model to the ONNX model and print every tensor; exit code 1: they differ."""
    accelerator = api.load(options.project)
    frames = load_array(options.inputs, "inputs")
    with Console(stderr=True).status("holding the golden model to the ONNX model"):
        result = accelerator.verify(options.model, frames)
    console = Console()
    console.print(verification_table(accelerator.project.name, result))
    result.check()
    console.print(verification_line(result.to_json()), markup=False, highlight=False)
    return 0


def csim(options: argparse.Namespace) -> int:
    """Run the C simulation and print what it gave."""
    accelerator = api.load(options.project)
    frames, labels = _arrays(options)
    with Console(stderr=True).status("C simulation"):
        run = accelerator.csim(
            frames, labels, count=options.frames, types=options.types, dataset=_dataset(options)
        )
    return _conclude(accelerator, run, options, "csim")


def sim(options: argparse.Namespace) -> int:
    """Run the RTL simulation and print what it gave, of an accelerator or of a user's unit."""
    if (options.project / UNIT_MARKER).is_file():
        return _sim_unit(options)
    if options.netlist:
        if options.rtl != "own":
            raise UsageError("sim: a netlist is of the project's own RTL; leave --rtl or --netlist out")
        return _sim_netlist(options)
    if options.family is not None:
        raise UsageError("sim: a family is that of a netlist; give --netlist too, or leave --family out")
    accelerator = api.load(options.project)
    frames, labels = _arrays(options)
    with _progress("RTL simulation") as progress:
        run = accelerator.sim(
            frames,
            labels,
            count=options.frames,
            stall=options.stall,
            resets=options.resets,
            seed=options.seed,
            waves=options.waves,
            jobs=options.jobs,
            dataset=_dataset(options),
            progress=progress,
            rtl=options.rtl,
        )
    return _conclude(accelerator, run, options, "sim")


def synth(options: argparse.Namespace) -> int:
    """Run a synthesis tool and print what it gave; raises `ToolFailedError` where the clock is missed."""
    accelerator = api.load(options.project)
    with _steps("synth") as announce:
        result = accelerator.synth(
            options.tool,
            part=options.part,
            family=options.family,
            layers=() if options.top_only else options.layers,
            top=options.layers is None,
            jobs=options.jobs,
            seed=options.seed,
            seeds=options.seeds,
            announce=announce,
        )
    console = Console()
    content = accelerator.report()
    print_synthesis(console, content, {**content["synthesis"][-1], **result.to_json()})
    console.print(f"logs: {kept_folder(accelerator.project, result.tool)}", soft_wrap=True, highlight=False)
    result.check_timing()
    return 0


def hlsc(options: argparse.Namespace) -> int:
    """Compile a user's unit, print its report, and run its bench and a proof where they are asked for."""
    if options.prove is not None:
        check_cycles(options.top, options.prove)
    request = UnitRequest(
        header=options.header,
        type_name=options.top,
        clock_mhz=options.clock_mhz,
        part=options.part,
        name=options.name,
        include_dirs=tuple(options.include),
    )
    with Console(stderr=True).status("compiling"):
        unit = write_unit_project(request, options.output, options.force)
    print(report_text(unit_report(request, unit)))
    print(f"project: {options.output}; next: make -C {shlex.quote(str(options.output))}")
    if options.sim:
        run_unit(options.output, UnitOptions())
    if options.prove is not None:
        _prove(request, options.prove)
    return 0


def report(options: argparse.Namespace) -> int:
    """Print the tables, and write them as HTML."""
    accelerator = api.load(options.project)
    content = accelerator.report()
    print_report(Console(), content)
    Console().print(f"also as {write_page(options.project)}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure every level that is asked for; print a table, and write it as JSON and as a chart."""
    check_output_folder(options.output, "evaluate")
    if not options.no_plot:
        check_matplotlib()
    frames, labels = _arrays(options)
    assert frames is not None
    with Console(stderr=True).status("measuring") as status:
        result = measure(
            options.project,
            frames,
            labels,
            model=options.model,
            float_model=options.float,
            frames=options.frames,
            csim=options.csim,
            rtl=options.rtl,
            dataset=_dataset(options),
            announce=lambda step: status.update(f"measuring: {step}"),
        )
    content = result.to_json()
    console = Console()
    console.print(evaluation_table(content))
    folder = options.output or options.project / "reports"
    write_json(folder / "evaluation.json", content)
    if not options.no_plot:
        write_chart(content, folder / "evaluation.png")
    console.print(f"written: {folder}/evaluation.json{'' if options.no_plot else ' and evaluation.png'}")
    return SimulationMismatchError.exit_code if result.mismatches else 0


def _prove(request: UnitRequest, cycles: int) -> None:
    with Console(stderr=True).status(f"proving, {cycles} cycles"):
        proof = prove(request.source, request.clock_mhz, cycles, family_of(request.part, "hlsc"))
    if not proof.proved:
        print(proof.counterexample)
    proof.check()
    undefined = (
        " Some beats make the C++ do what has no meaning (an index outside of an array, a shift too far, a "
        "division by zero, __builtin_unreachable()): nothing is held from such a step on, and --sim names "
        "its line where it meets one."
    )
    print(
        f"proved: '{proof.unit}', stages: {proof.stages}, does what its C++ does for all beats and stalls in "
        f"cycles 0 to {cycles - 1} after reset ({proof.seconds:.1f} s).{undefined * proof.has_undefined} "
        "Covered: hlsc, from the LLVM IR that clang makes of the C++ to the SystemVerilog with its cells. "
        "Trusted: clang, llvmlite, Yosys"
    )


def _sim_unit(options: argparse.Namespace) -> int:
    others = ("inputs", "labels", "frames", "trace", "family")
    plain = options.jobs == 1 and not options.netlist and options.rtl == "own"
    if not plain or any(getattr(options, name) is not None for name in others):
        raise UsageError(
            f"sim: '{options.project}' is a unit's project, which takes --stall, --resets, --seed and "
            "--waves only; "
            "leave the others out, or see its README for what `make` takes"
        )
    unit_options = UnitOptions(
        stall=options.stall, seed=options.seed, waves=options.waves, resets=options.resets
    )
    return run_unit(options.project, unit_options)


def _sim_netlist(options: argparse.Namespace) -> int:
    if options.labels is not None:
        raise UsageError("sim: the accuracy is measured without --netlist; leave --labels out")
    accelerator = api.load(options.project)
    frames, _ = _arrays(options)
    with _steps("sim") as announce:
        run = accelerator.sim_netlist(
            frames,
            family=options.family or "xc7",
            count=options.frames,
            stall=options.stall,
            resets=options.resets,
            seed=options.seed,
            waves=options.waves,
            jobs=options.jobs,
            announce=announce,
        )
    return _conclude(accelerator, run, options, "sim --netlist")


def _input(options: argparse.Namespace) -> tuple[IntType | None, float | None]:
    """The type and the scale of the hardware's own input, where they are given."""
    kind = None if options.input_type is None else parse_input_type(options.input_type)
    return kind, None if options.input_scale is None else parse_scale(options.input_scale)


def _conclude(
    accelerator: api.Accelerator, run: SimulationResult, options: argparse.Namespace, name: str
) -> int:
    console = Console()
    content = accelerator.report()
    if _is_vitis(options):
        console.print(vitis_line(content), markup=False, highlight=False)
    else:
        if name == "sim":
            console.print(fifo_table(content))
        print_result(console, content)
    if options.trace:
        _save_trace(options.trace, run)
        console.print(f"streams: {options.trace}")
        left_out = len(run.comparison.streams) - len(run.streams)
        if left_out:
            console.print(f"{left_out} streams are incomplete or too large, and not in it; run fewer frames")
    try:
        run.comparison.check(name)
    except SimulationMismatchError as error:
        Console(stderr=True, soft_wrap=True).print(f"thresher: {error}", markup=False, highlight=False)
        return error.exit_code
    ends_only = name == "sim --netlist" or _is_vitis(options)
    which = "the input and the output" if ends_only else "every stream"
    if run.comparison.resets:
        console.print(resets_line(run.comparison), markup=False, highlight=False)
    console.print(f"every beat of {which} equals the golden model ({run.frames} frames)")
    return 0


def _is_vitis(options: argparse.Namespace) -> bool:
    return getattr(options, "rtl", "own") == "vitis"


def _save_trace(path: Path, run: SimulationResult) -> None:
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part.npz")
    np.savez_compressed(beside, allow_pickle=False, **run.streams)
    beside.replace(path)


def _arrays(options: argparse.Namespace) -> tuple[np.ndarray | None, np.ndarray | None]:
    if options.frames is not None and options.frames < 1:
        raise UsageError(f"frames: {options.frames} frames cannot be simulated; give 1 or more")
    if options.labels and not options.inputs:
        raise UsageError("labels: they belong to frames; give those too, with --inputs")
    for option in ("trace", "waves"):
        check_output(getattr(options, option, None), option, (options.inputs, options.labels))
    return _array(options.inputs, "inputs"), _array(options.labels, "labels")


def _array(path: Path | None, what: str) -> np.ndarray | None:
    return None if path is None else load_array(path, what)


def _dataset(options: argparse.Namespace) -> str | None:
    return options.inputs.name if options.inputs else None


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def _steps(title: str) -> Iterator[Callable[[str], None]]:
    """Show the step that is announced and the time; where there is no terminal, a line each."""
    console, started = Console(stderr=True), time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def announce(step: str) -> None:
            progress.update(task, description=f"{title}: {step}")
            if not console.is_terminal:
                print(f"{title}: {time.monotonic() - started:4.0f} s: {step}", file=sys.stderr, flush=True)

        yield announce
