"""Measuring every level that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thresher.accuracy import accuracy
from thresher.api import Accelerator
from thresher.errors import UsageError
from thresher.evaluation.results import Level
from thresher.evaluation.timing import Timed, run_timed
from thresher.float_layers import real_frames
from thresher.hardware.golden import golden_outputs
from thresher.ir.graph import Array
from thresher.ir.hardware import OUTPUT_STREAM
from thresher.ir.integer import Ints
from thresher.kernels.installed import custom_operators
from thresher.onnx_import import OnnxModel, import_model, read_model
from thresher.onnx_import.plain import PlainModel, is_plain, parameter_bytes
from thresher.onnx_import.standard import Runner
from thresher.tools.simulation import SimulationResult
from thresher.warn import nothing_said_twice

Announce = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Networks:
    """ONNX models to compare with: the `quantised` one that was built, and a `float_twin`."""

    quantised: OnnxModel | None = None
    float_twin: OnnxModel | None = None


@dataclass(frozen=True)
class Simulated:
    """How many of the first frames to simulate as C++ and as RTL; None leaves it out."""

    csim: int | None = None
    rtl: int | None = None


def measure_levels(
    accelerator: Accelerator,
    frames: Array,
    labels: Ints | None,
    networks: Networks,
    simulated: Simulated,
    announce: Announce,
) -> tuple[Level, ...]:
    """Measure each level on `frames` `[N, ...]`, in the order of the flow; `labels` has one for each.

    Raises:
        UsageError: The frames do not fit a model, or a model is not what it should be.
        MissingToolError, ToolFailedError: As the simulations.
    """
    real = frames
    if accelerator.host.prologue is None:
        real = real_frames(frames, float(accelerator.host.lowered.input.scale.reshape(-1)[0]))
    measure = _Measure(accelerator, frames, labels, real)
    levels: list[Level] = []
    if networks.float_twin is not None:
        announce("the float twin")
        levels.append(measure.float_twin(networks.float_twin))
    if networks.quantised is not None:
        announce("the quantised model")
        levels.append(measure.quantised(networks.quantised))
    announce("the golden model")
    golden = measure.golden()
    levels.append(golden)
    with nothing_said_twice():
        if simulated.csim is not None:
            announce("C simulation")
            levels.append(measure.csim(simulated.csim))
        if simulated.rtl is not None:
            announce("RTL simulation")
            levels.append(measure.rtl(simulated.rtl))
    levels.append(measure.accelerated(golden))
    return tuple(levels)


@dataclass(frozen=True, eq=False)
class _Measure:
    """The frames as the hardware takes them, and as they are `real` for the models."""

    accelerator: Accelerator
    frames: Array
    labels: Ints | None
    real: Array

    def float_twin(self, model: OnnxModel) -> Level:
        network = PlainModel(model)
        self._check_shape(model, network.input_shape)
        timed = run_timed(network.run, self.real)
        return self._level("float", "float twin", timed, "onnxruntime", parameter_bytes(model))

    def quantised(self, model: OnnxModel) -> Level:
        if model.sha256 != self.accelerator.report()["model"]["sha256"]:
            raise UsageError(
                f"evaluate: model '{model.name}' is not the one that the project was built from; give "
                "that one, or build the project again"
            )
        if is_plain(model):
            network: PlainModel | Runner = PlainModel(model)
            engine = "onnxruntime"
        else:
            network = Runner(import_model(model, operators=custom_operators()))
            engine = network.engine
        timed = run_timed(network.run, self.real)
        return self._level("onnx", "quantised model", timed, engine, parameter_bytes(model))

    def golden(self) -> Level:
        host, graph = self.accelerator.host, self.accelerator.graph
        timed = run_timed(lambda frames: host.decode(golden_outputs(graph, host.encode(frames))), self.frames)
        return self._level("golden", "golden model", timed, "numpy")

    def csim(self, count: int) -> Level:
        run = self.accelerator.csim(self.frames, count=count)
        return self._simulated("csim", "C simulation", run)

    def rtl(self, count: int) -> Level:
        run = self.accelerator.sim(self.frames, count=count)
        return self._simulated("rtl", "RTL simulation", run)

    def accelerated(self, golden: Level) -> Level:
        """The hardware by its stated cycles; it computes what the golden model does."""
        report = self.accelerator.report()
        estimate, clock = report["estimate"], float(report["clock_mhz"])
        return Level(
            name="accelerator",
            title=f"accelerator, {clock:g} MHz",
            images=golden.images,
            accuracy=golden.accuracy,
            seconds_per_image=estimate["cycles_per_frame"] / (clock * 1e6),
            latency_seconds=estimate["latency_cycles"] / (clock * 1e6),
            engine=report["part"],
            bytes=int(report["model"]["packed_bytes"]) + _host_bytes(self.accelerator.directory / "model"),
            cycles_per_frame=estimate["cycles_per_frame"],
        )

    def _simulated(self, name: str, title: str, run: SimulationResult) -> Level:
        right = None
        if self.labels is not None and OUTPUT_STREAM in run.streams:
            right = accuracy(self.accelerator.host.decode(run.outputs), self.labels[: run.frames])
        return Level(
            name=name,
            title=title,
            images=run.frames,
            accuracy=right,
            mismatches=run.mismatches,
            cycles_per_frame=run.cycles_per_frame,
        )

    def _level(self, name: str, title: str, timed: Timed, engine: str, size: int | None = None) -> Level:
        """A level that the CPU computed."""
        return Level(
            name=name,
            title=title,
            images=len(self.frames),
            accuracy=None if self.labels is None else accuracy(timed.outputs, self.labels),
            seconds_per_image=timed.seconds_per_image,
            latency_seconds=timed.latency_seconds,
            engine=engine,
            bytes=size,
        )

    def _check_shape(self, model: OnnxModel, shape: tuple[int, ...]) -> None:
        if shape[1:] != self.real.shape[1:]:
            takes, given = (
                f"[{', '.join(['N', *map(str, sizes[1:])])}]" for sizes in (shape, self.real.shape)
            )
            raise UsageError(
                f"evaluate: model '{model.name}' takes {takes}, and the inputs are {given}; give a model for "
                "inputs of that shape"
            )


def host_parts(folder: Path) -> list[Path]:
    """The parts of the model that the host computes."""
    return [path for name in ("prologue", "epilogue") if (path := folder / f"{name}.onnx").is_file()]


def _host_bytes(folder: Path) -> int:
    """Bytes of the parameters that stay with the host's parts."""
    return sum(parameter_bytes(read_model(part)) for part in host_parts(folder))
