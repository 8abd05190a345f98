"""The Python interface: `build`, `load`, and the accelerator that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.accuracy import accuracy, check_labels
from thresher.building import (
    DEFAULT_CLOCK_MHZ,
    BuildOptions,
    FoldingChoice,
    build_project,
    export_module,
    parse_input_type,
    safe_name,
)
from thresher.emit.project import silent
from thresher.emit.replacing import restore
from thresher.emit.units import refresh_rtl
from thresher.emit.yosys import FAMILIES
from thresher.errors import UsageError
from thresher.float_layers import described_layers
from thresher.hardware.connect import connect
from thresher.hardware.golden import golden_chunks, golden_outputs
from thresher.hardware.parts import family_of
from thresher.hardware.select import select_kernels
from thresher.hardware.told import fold_as_told, parse_folding
from thresher.host import Host, as_array, check_array
from thresher.inputs import warn_of_inputs
from thresher.ir.graph import Array, interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, stream_layouts
from thresher.ir.integer import Ints
from thresher.kernels.installed import custom_operators
from thresher.lower import ADD_BITS
from thresher.lower.storage import digest_folder, load_lowered
from thresher.onnx_import import import_model, read_model
from thresher.onnx_import.host import HostModel
from thresher.report.content import read_report
from thresher.report.kept import report_path, updating_report
from thresher.tools.netlist import run_netlist
from thresher.tools.simulation import SimulationResult, run_csim, run_folder, run_rtl, write_run_vectors
from thresher.tools.synthesis import SEEDS, Announce, Synthesis, SynthesisRequest, record_synthesis
from thresher.tools.synthesisers import ADAPTERS
from thresher.verification import Verification, verify_frames
from thresher_sim.files import read_json
from thresher_sim.netlist import FAMILIES as NETLIST_FAMILIES
from thresher_sim.project import Project, load_project
from thresher_sim.rtl import RtlOptions
from thresher_sim.sources import units_digest

__all__ = ["Accelerator", "SimulationResult", "build", "load"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Accelerator:
    """A built project: its golden model, its simulations, its report.

    Frames are arrays `[N, ...]` shaped as the ONNX model's input: its own floats, or the integers
    of the hardware where it was built with an input type.
    """

    directory: Path
    project: Project
    graph: HwGraph
    host: Host

    def predict(self, frames: npt.ArrayLike, sim: str = "golden") -> Array:
        """Compute the model's outputs through the `golden` model, `csim` or `rtl`.

        Raises:
            UsageError: The frames do not fit the model, or there is no such simulation.
            SimulationMismatchError: The simulation differs from the golden model.
        """
        if sim not in ("golden", "csim", "rtl"):
            raise UsageError(f"predict: there is no simulation {sim!r}; choose golden, csim or rtl")
        if sim == "golden":
            return self.host.decode(golden_outputs(self.graph, self._encode(as_array(frames))))
        run = self.csim(frames) if sim == "csim" else self.sim(frames)
        run.comparison.check(sim)
        return self.host.decode(run.outputs)

    def trace(self, frames: npt.ArrayLike) -> dict[str, Ints]:
        """The golden integers `[N, vectors, channels]` of every stream, by its name."""
        return interpret(self.graph, {INPUT_STREAM: self._encode(as_array(frames))})

    def csim(
        self,
        frames: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | None = None,
        *,
        count: int | None = None,
        types: str = "bitint",
        dataset: str | None = None,
    ) -> SimulationResult:
        """Run the C simulation; without frames on the project's own vectors.

        Args:
            frames: As for `predict`.
            labels: The class of each frame, for the accuracy in the report.
            count: Only the first frames.
            types: `bitint` or `amd`.
            dataset: The name of the frames in the report.

        Raises:
            UsageError, MissingToolError, ToolFailedError: As their messages say. A mismatch does
                not raise; it is in the result.
        """
        with run_folder(self.project) as folder:
            vectors, golden = self._vectors(frames, count, folder)
            classes = self._labels(labels, frames, count)
            run = run_csim(self.project, vectors, folder, count, types)
        self._record("csim", run, golden, classes, dataset)
        return run

    def sim(  # noqa: PLR0913  (the command's options)
        self,
        frames: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | None = None,
        *,
        count: int | None = None,
        stall: int = 0,
        resets: int = 0,
        seed: int = 0,
        waves: Path | str | None = None,
        jobs: int = 1,
        dataset: str | None = None,
        progress: Progress | None = None,
        rtl: str = "own",
    ) -> SimulationResult:
        """Run the RTL simulation under cocotb and Verilator; without frames on the own vectors.

        Args:
            frames: As for `predict`.
            labels: As for `csim`.
            count: As for `csim`.
            stall: Percent of the cycles in which each end rests at random.
            resets: Resets at random moments, before the frames are played as without; each stream is held to
                the golden model from every reset on.
            seed: Of these stalls and resets.
            waves: An FST file to record all signals in.
            jobs: Processes to split the frames over.
            dataset: As for `csim`.
            progress: Called with the frames done and the frames in all, or with the resets.
            rtl: `own`, or `vitis` for the Verilog that Vitis HLS made of the project's C++.
        """
        if rtl not in ("own", "vitis"):
            raise UsageError(f"sim: there is no RTL {rtl!r}; choose own or vitis")
        # Read again: an earlier run may have compiled it from other C++.
        project = refresh_rtl(load_project(self.directory))
        options = RtlOptions(
            stall, seed, jobs, Path(waves) if waves else None, progress=progress, resets=resets
        )
        with run_folder(project) as folder:
            vectors, golden = self._vectors(frames, count, folder)
            classes = self._labels(labels, frames, count)
            run = run_rtl(project, vectors, folder, count, options, rtl)
        self._record("rtl" if rtl == "own" else rtl, run, golden, classes, dataset)
        return run

    def sim_netlist(  # noqa: PLR0913  (the command's options)
        self,
        frames: npt.ArrayLike | None = None,
        *,
        family: str = "xc7",
        count: int | None = None,
        stall: int = 0,
        resets: int = 0,
        seed: int = 0,
        waves: Path | str | None = None,
        jobs: int = 1,
        announce: Announce = silent,
        progress: Progress | None = None,
    ) -> SimulationResult:
        """Have Yosys map the accelerator to the cells of a family, and simulate the netlist as `sim` does.

        Only the input and the output are compared: inside, a netlist has no streams.

        Args:
            frames: As for `predict`.
            family: `xc7` or `ecp5`.
            count: As for `csim`.
            stall: As for `sim`.
            resets: As for `sim`.
            seed: As for `sim`.
            waves: As for `sim`.
            jobs: As for `sim`.
            announce: Told what is being done.
            progress: As for `sim`.
        """
        if family not in NETLIST_FAMILIES:
            raise UsageError(
                f"sim: netlists of family {family!r} have no models; choose of {', '.join(NETLIST_FAMILIES)}"
            )
        project = refresh_rtl(load_project(self.directory))
        options = RtlOptions(
            stall, seed, jobs, Path(waves) if waves else None, progress=progress, resets=resets
        )
        with run_folder(project) as folder:
            vectors, golden = self._vectors(frames, count, folder)
            run = run_netlist(project, family, vectors, folder, count, options, announce)
        self._record(f"netlist_{family}", run, golden, None, None)
        return run

    def verify(self, model: Path | str, frames: npt.ArrayLike) -> Verification:
        """Hold the golden model to the ONNX model that it was built from, tensor by tensor, on `frames`.

        Each tensor is compared from the model's own values of the tensors before it; the model runs in
        onnxruntime and by QONNX's specification, apart from all that lowering does. The result is recorded in
        the report beside that of the build; its `check` raises where there is a mismatch.

        Args:
            model: The path of the ONNX file.
            frames: As for `predict`.

        Raises:
            UsageError: The frames do not fit the model, or the project was built from another one.
            UnsupportedModelError: onnxruntime cannot compute the model.
        """
        source, report = read_model(model), self.report()
        if source.sha256 != report["model"]["sha256"]:
            raise UsageError(
                f"verify: '{model}' is not the model that project '{self.directory}' was built from (its "
                f"SHA-256 begins with {source.sha256[:12]}, and not with {report['model']['sha256'][:12]}); "
                "give that one"
            )
        taken = as_array(frames)
        check_array(taken, self.host.input_shape)
        warn_of_inputs(self.host, taken)
        operators, dropped = custom_operators(), bool(report["model"]["dropped"])
        imported = import_model(source, operators=operators, drop_input_scale=dropped)
        layers = described_layers(report["float_layers"])
        result = verify_frames(imported, layers, self.host, taken, operators)
        with updating_report(self.directory) as changed:
            changed["verified_since"] = result.to_json()
        return result

    def synth(  # noqa: PLR0913  (the command's options)
        self,
        tool: str = "yosys",
        *,
        part: str | None = None,
        family: str | None = None,
        layers: Sequence[str] | None = None,
        top: bool = True,
        jobs: int = 1,
        seed: int = 1,
        seeds: int = SEEDS,
        announce: Announce = silent,
    ) -> Synthesis:
        """Run a synthesis tool on the units out of context and on the whole; its logs stay in `build/synth`.

        Args:
            tool: A key of `thresher.tools.synthesisers.ADAPTERS`, such as `yosys` or `nextpnr-ecp5`.
            part: The part number; the project's where it is None.
            family: `xc7`, `xcup` or `ecp5` in place of a part.
            layers: Only these units; all where it is None, none where it is empty.
            top: Whether the whole is synthesised too.
            jobs: Programs that may run at the same time.
            seed: Of what a tool chooses at random.
            seeds: How many seeds to try, from `seed` on, until the clock is met; the best is kept.
            announce: Told what is being done.

        Raises:
            UsageError, MissingToolError, ToolFailedError: As their messages say. That the clock is not met
                does not raise, see `Synthesis.check_timing`.
        """
        if tool not in ADAPTERS:
            raise UsageError(f"synth: there is no tool {tool!r}; choose of {', '.join(ADAPTERS)}")
        if part is not None and family is not None:
            raise UsageError("synth: a part and a family exclude each other; give one of them")
        if family is not None and family not in FAMILIES:
            raise UsageError(f"synth: there is no family {family!r}; choose of {', '.join(FAMILIES)}")
        if part is not None:
            family_of(part, "synth")
        request = SynthesisRequest(
            part=self.report()["part"] if part is None else part,
            part_given=part is not None,
            family=family,
            layers=None if layers is None else tuple(layers),
            top=top,
            jobs=jobs,
            seed=seed,
            seeds=seeds,
        )
        # Read again: an earlier run may have compiled it from other C++.
        result = ADAPTERS[tool](refresh_rtl(load_project(self.directory)), request, announce)
        with updating_report(self.directory) as report:
            entry = result.to_json() | {"simulated": self._simulated(report)}
            report["synthesis"] = record_synthesis(report["synthesis"], entry)
        return result

    def report(self) -> dict[str, Any]:
        """The content of `reports/report.json`: layers, estimate, and what was simulated last.

        Raises `UsageError` where the file is missing or damaged.
        """
        return read_report(report_path(self.directory))

    def record_accuracy(self, level: str, fraction: float) -> None:
        """Put an accuracy that was measured elsewhere, such as that of `onnx`, beside those of the report."""
        with updating_report(self.directory) as report:
            report["accuracy"][level] = fraction

    def _encode(self, frames: Array) -> Ints:
        """The integers of the hardware for `frames`; warns where these do not fit the first quantiser."""
        integers = self.host.encode(frames)
        warn_of_inputs(self.host, frames)
        return integers

    def _vectors(
        self, frames: npt.ArrayLike | None, count: int | None, folder: Path
    ) -> tuple[Path, Ints | None]:
        """The folder of the golden streams, and the golden output where frames were given."""
        if frames is None:
            return self.project.vectors, None
        array = as_array(frames)
        if array.ndim and count is not None and count > len(array):
            raise UsageError(
                f"frames: {count} frames are asked for, and the inputs hold {len(array)}; "
                f"ask for at most {len(array)}"
            )
        outputs: list[Array] = []

        def chunks() -> Iterator[Mapping[str, Array]]:
            for tensors in golden_chunks(self.graph, self._encode(array[:count] if array.ndim else array)):
                outputs.append(tensors[OUTPUT_STREAM])
                yield tensors

        vectors = write_run_vectors(self.project, chunks(), folder)
        return vectors, np.concatenate(outputs)

    def _record(
        self,
        level: str,
        run: SimulationResult,
        golden: Ints | None,
        labels: Ints | None,
        dataset: str | None,
    ) -> None:
        with updating_report(self.directory) as report:
            entry: dict[str, object] = {"frames": run.frames, "mismatches": run.mismatches}
            entry["warnings"] = list(run.warnings)
            entry["units_sha256"] = units_digest(self.project)
            if level != "csim":
                entry |= {"cycles_per_frame": run.cycles_per_frame, "latency_cycles": run.latency_cycles}
            if level == "rtl":
                for fifo in report["fifos"]:
                    fifo["rtl_occupancy"] = run.occupancy.get(fifo["stream"])
            report["simulation"][level] = entry | {"seconds": round(run.seconds, 3)}
            if labels is not None and golden is not None:
                accuracy = {"dataset": dataset or "given frames", "images": len(labels)}
                if {key: report["accuracy"].get(key) for key in accuracy} != accuracy:
                    report["accuracy"] = accuracy
                report["accuracy"]["golden"] = self._accuracy(golden, labels)
                if OUTPUT_STREAM in run.streams:
                    report["accuracy"][level] = self._accuracy(run.outputs, labels)

    def _simulated(self, report: Mapping[str, Any]) -> bool:
        """Whether a simulation of the units as they are has passed."""
        units = units_digest(self.project)
        return any(
            run["frames"] and not run["mismatches"] and run.get("units_sha256") == units
            for run in report["simulation"].values()
        )

    def _labels(
        self, labels: npt.ArrayLike | None, frames: npt.ArrayLike | None, count: int | None
    ) -> Ints | None:
        if labels is None:
            return None
        if frames is None:
            raise UsageError("labels: they belong to frames; give those too, with --inputs")
        return check_labels(labels, len(as_array(frames)), self.host.classes, count)

    def _accuracy(self, outputs: Ints, labels: Ints) -> float:
        return accuracy(self.host.decode(outputs), labels)


def load(directory: Path | str) -> Accelerator:
    """Open a project that was built before; raises `UsageError` where it is none."""
    folder = Path(directory)
    restore(folder)
    project = load_project(folder)
    model = folder / "model"
    try:
        data = read_json(folder / "project.json")
        if digest_folder(model) != data["network_sha256"]:
            raise ValueError("its folder 'model' has changed")
        lowered = load_lowered((model / "network.npz").read_bytes(), custom_operators())
        layers = [layer for layer in data["layers"] if layer["kernel"] != "width_converter"]
        told = {layer["name"]: {"pe": layer["pe"], "simd": layer["simd"]} for layer in layers}
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = f"project.json lacks {error}" if isinstance(error, KeyError) else error
        raise UsageError(f"load: project '{folder}' is damaged ({reason}); build it again") from None
    host = Host(lowered, _host_model(model / "prologue.onnx"), _host_model(model / "epilogue.onnx"))
    graph = connect(fold_as_told(select_kernels(lowered.graph), parse_folding(told)))
    if list(stream_layouts(graph).items()) != [(stream.name, stream.layout) for stream in project.streams]:
        raise UsageError(
            f"load: project '{folder}' is damaged (its streams are not those of its network); build it again"
        )
    return Accelerator(folder, project, graph, host)


def _host_model(path: Path) -> HostModel | None:
    return HostModel(path.read_bytes()) if path.is_file() else None


def build(  # noqa: PLR0913  (the command's options)
    model: Any,
    output_dir: Path | str | None = None,
    *,
    folding: FoldingChoice | None = None,
    target_fps: float | None = None,
    clock_mhz: float = DEFAULT_CLOCK_MHZ,
    part: str | None = None,
    board: str | None = None,
    input_type: str | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
    fit: bool = False,
    add_bits: int = ADD_BITS,
    drop_input_scale: bool = False,
    example_input: Any = None,
    quantize_float: int | None = None,
    samples: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    verify: bool = True,
    force: bool = False,
) -> Accelerator:
    """Build an accelerator project from a model.

    Args:
        model: The path of an ONNX file, of QONNX or standard operators, or a Brevitas or PyTorch module.
        output_dir: The project's folder, replaced where it is a project already, but for the user's own
            files; the default is `<model>_accelerator` in the working folder.
        folding: A folding file, or its content: `{"mvu0": {"pe": 16, "simd": 49}}`.
        target_fps: Frames per second at `clock_mhz` that each layer is folded for.
        clock_mhz: The clock that units are pipelined for.
        part: The part number, for the delays that units are pipelined by and the synthesis scripts; of
            neither part nor board, xc7z020clg400-1.
        board: The board, whose part it then is, for the script that makes its bitstream.
        input_type: `uint8` and the like: the hardware takes integers, and no prologue stays on the host.
        input_scale: The model's input is this times the integer.
        argmax: End in the index of the largest output.
        fit: Be as fast as the LUTs, block RAMs and DSPs of `part` allow by the estimate, and use up to
            all of them; without `folding`, `target_fps` or this, the accelerator is small.
        add_bits: Bits of the terms of sums and concatenations whose scales have no common grid; the report
            states the error.
        drop_input_scale: Leave out products with a scale that a layer computes from its own input at run
            time, as XNOR-Net's K is; the outputs are then not those of the model.
        example_input: One frame with its batch axis, to export a module with.
        quantize_float: Put float layers into hardware, with weights and inputs of so many bits, 2 to 8.
        samples: Frames `[N, ...]` shaped as the model's input, to calibrate these on; what is built is held
            to the model on some of them as well.
        labels: The class of each sample; the report then has the accuracy of the model and of what is built.
        verify: Hold the golden model to the ONNX model, tensor by tensor, before anything is written.
        force: Replace files of an earlier project that were edited, or are in the way of new ones.

    Raises:
        ThresherError: One of its subclasses, whose message says what to do; nothing is then written.
    """
    kind = parse_input_type(input_type) if input_type is not None else None
    options = BuildOptions(
        folding=folding,
        target_fps=target_fps,
        clock_mhz=clock_mhz,
        part=part,
        board=board,
        input_type=kind,
        input_scale=input_scale,
        argmax=argmax,
        fit=fit,
        drop_input_scale=drop_input_scale,
        quantize_float=quantize_float,
        samples=samples,
        labels=labels,
        add_bits=add_bits,
        verify=verify,
    )
    source = read_model(model) if isinstance(model, Path | str) else export_module(model, example_input)
    target = (
        Path(output_dir)
        if output_dir is not None
        else Path(f"{safe_name(Path(source.name).stem)}_accelerator")
    )
    build_project(source, target, options, force=force)
    return load(target)
