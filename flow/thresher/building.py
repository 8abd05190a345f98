"""From a model to a project: every stage in order."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.emit.design import Design, ModelInfo
from thresher.emit.project import Announce, silent, write_project
from thresher.emit.target import check_target
from thresher.errors import MissingToolError, UnsupportedModelError, UsageError, printable
from thresher.float_layers import (
    describe_float_layers,
    host_of,
    measure_accuracy,
    parse_type,
    quantise_floats,
    sample_request,
)
from thresher.hardware.boards import Board, choose_part, find_board
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_by_default, fold_to_fit, fold_to_target
from thresher.hardware.parts import family_of
from thresher.hardware.select import Layer, select_kernels
from thresher.hardware.told import fold_as_told, parse_folding, read_folding
from thresher.host import as_array, check_array
from thresher.inputs import warn_of_inputs, warn_of_layers, warn_of_type
from thresher.ir.graph import Array
from thresher.ir.quant import QuantGraph
from thresher.kernels.installed import custom_operators
from thresher.lower import ADD_BITS, HostLayer, Lowered, find_host_layers, lower
from thresher.onnx_import import Imported, OnnxModel, import_model, read_model
from thresher.onnx_import.host import make_epilogue, make_prologue
from thresher.onnx_import.quantize import QuantisedLayer
from thresher.verification import NOT_DONE, Verification, compute_output, verify_design
from thresher_sim.streams import IntType

DEFAULT_CLOCK_MHZ = 100.0
# The share of its largest value by which the median output of an export may differ from the module's.
_EXPORTED = 1e-3
MOST_ADD_BITS = 32

FoldingChoice = Path | str | Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class BuildOptions:
    """What to build a model for; raises `UsageError` on values that cannot be."""

    folding: FoldingChoice | None = None
    target_fps: float | None = None
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    part: str | None = None
    board: str | None = None
    input_type: IntType | None = None
    input_scale: float | None = None
    argmax: bool = False
    fit: bool = False
    add_bits: int = ADD_BITS
    drop_input_scale: bool = False
    quantize_float: int | None = None
    samples: npt.ArrayLike | None = field(default=None, compare=False)
    labels: npt.ArrayLike | None = field(default=None, compare=False)
    verify: bool = True

    def __post_init__(self) -> None:
        given: dict[str, object] = {"clock_mhz": self.clock_mhz, "add_bits": self.add_bits}
        optional = {"target_fps": self.target_fps, "input_scale": self.input_scale}
        given |= {name: value for name, value in optional.items() if value is not None}
        for name, value in given.items():
            if not isinstance(value, Real):
                raise UsageError(f"build: {name} is {value!r}; give a number")
        if not (math.isfinite(self.clock_mhz) and 1 <= self.clock_mhz <= 2000):
            raise UsageError(f"build: a clock of {self.clock_mhz:g} MHz cannot be; give 1 to 2000")
        if self.target_fps is not None and not (math.isfinite(self.target_fps) and self.target_fps > 0):
            raise UsageError(
                f"build: a target of {self.target_fps:g} frames per second cannot be; give a number above 0"
            )
        if self.target_fps is not None and self.target_fps > self.clock_mhz * 1e6:
            raise UsageError(
                f"build: a target of {self.target_fps:g} frames per second is more than one a cycle at "
                f"{self.clock_mhz:g} MHz; give at most {self.clock_mhz * 1e6:g}"
            )
        self._check_speed()
        if not 2 <= self.add_bits <= MOST_ADD_BITS:
            raise UsageError(
                f"build: sums in fixed point of {self.add_bits} bits cannot be; give 2 to {MOST_ADD_BITS}"
            )
        sample_request(self.quantize_float, self.samples, self.labels)
        family_of(self.chosen_part)

    @property
    def chosen_board(self) -> Board | None:
        """The board to build for, if one was named."""
        return None if self.board is None else find_board(self.board)

    @property
    def chosen_part(self) -> str:
        """The part to build for: that of the board, `part`, or the default."""
        return choose_part(self.part, self.chosen_board)

    def _check_speed(self) -> None:
        given = {
            "a folding": self.folding is not None,
            "a target rate": self.target_fps is not None,
            "fitting a part": self.fit,
        }
        names = [name for name, there in given.items() if there]
        if len(names) > 1:
            raise UsageError(f"build: {names[0]} and {names[1]} exclude each other; give one of them")


def build_project(
    model: OnnxModel, target: Path, options: BuildOptions, announce: Announce = silent, force: bool = False
) -> None:
    """Import, lower, fold and write `model`; raises as each stage does, and then writes nothing.

    What is written was held to the model before, but for `options.verify`. `announce` is told what is being
    done. With `force` what was edited in a project at `target` is replaced too.

    Raises:
        VerificationError: The golden model does not give what the model gives.
    """
    check_target(target, force=force)
    announce("importing and folding")
    prepared = prepare(model, options)
    prepared = replace(prepared, design=replace(prepared.design, warnings=_warned(prepared, options)))
    if options.verify:
        announce("holding the golden model to the ONNX model")
        prepared = replace(prepared, design=_verified(prepared, options))
    write_project(prepared.design, target, announce, force)


def _warned(prepared: Prepared, options: BuildOptions) -> tuple[str, ...]:
    """Warn of what is probably not meant; what was said."""
    host = host_of(prepared.design)
    if options.samples is not None:
        samples = as_array(options.samples, "samples")
        check_array(samples, host.input_shape, "samples")
        said = warn_of_inputs(host, samples, "samples")
    else:
        said = warn_of_type(host) if options.input_scale is None else None
    layers = warn_of_layers(prepared.design.host_layers)
    return layers if said is None else (said, *layers)


def _verified(prepared: Prepared, options: BuildOptions) -> Design:
    """The design with what holding it to its model gave.

    Raises:
        VerificationError: It differs from the model.
    """
    design = prepared.design
    samples = None if options.samples is None else as_array(options.samples, "samples")
    if samples is not None:
        graph = prepared.model.graph
        check_array(samples, graph.shapes[graph.inputs[0]], "samples")
    result = hold_to_model(prepared, samples)
    result.check("; --no-verify builds all the same")
    return replace(design, verification=result.to_json())


def hold_to_model(prepared: Prepared, samples: Array | None = None) -> Verification:
    """What comparing a design with its model gives, on drawn frames and on `samples` `[N, ...]` of the input.

    Raises:
        RuntimeRefusalError: onnxruntime cannot compute the model.
    """
    design = prepared.design
    return verify_design(
        prepared.model,
        prepared.layers,
        prepared.built,
        design.lowered,
        host_of(design),
        design.graph,
        samples,
    )


@dataclass(frozen=True, eq=False)
class Prepared:
    """A design that can be written, and what it can be held to.

    `model` is the file as it was imported, `built` the same with float `layers` quantised.
    """

    design: Design
    model: Imported
    built: Imported
    layers: tuple[QuantisedLayer, ...] = ()


def make_design(model: OnnxModel, options: BuildOptions) -> Design:
    """Everything up to writing: the folded network with all that belongs to it."""
    return prepare(model, options).design


def prepare(model: OnnxModel, options: BuildOptions) -> Prepared:
    """Everything up to writing, and the imported model."""
    operators = custom_operators()
    source = import_model(model, operators=operators, drop_input_scale=options.drop_input_scale)
    imported = source
    request = sample_request(options.quantize_float, options.samples, options.labels)
    quantised = None
    if request is not None and request.bits is not None:
        quantised = quantise_floats(imported, request, request.bits, options.input_type, options.input_scale)
        imported = quantised.imported
    lowered = lower(imported.graph, options.input_type, options.input_scale, options.argmax, options.add_bits)
    output = lowered.output
    layers = fold(select_kernels(lowered.graph), options)
    design = Design(
        model=ModelInfo(safe_name(Path(model.name).stem), model.sha256, imported.dropped),
        lowered=lowered,
        layers=layers,
        graph=connect(layers),
        prologue=make_prologue(imported, lowered.prologue) if lowered.prologue else None,
        epilogue=make_epilogue(imported, lowered.epilogue, output.scale, output.zero, output.offset)
        if lowered.epilogue
        else None,
        clock_mhz=options.clock_mhz,
        part=options.chosen_part,
        board=options.chosen_board,
        verification=NOT_DONE,
        host_layers=_host_layers(imported.graph, lowered, options),
    )
    if quantised is not None:
        design = replace(design, float_layers=describe_float_layers(quantised))
    if request is not None and request.labels is not None:
        # The model as it is, without what was quantised or dropped on request.
        whole = import_model(model, operators=operators)
        design = replace(design, accuracy=measure_accuracy(design, whole, request))
    return Prepared(design, source, imported, () if quantised is None else quantised.layers)


def _host_layers(graph: QuantGraph, lowered: Lowered, options: BuildOptions) -> tuple[HostLayer, ...]:
    hardware = {node for made in lowered.graph.nodes for node in made.onnx_nodes}
    return find_host_layers(graph, hardware, options.input_type is not None)


def fold(layers: tuple[Layer, ...], options: BuildOptions) -> tuple[Layer, ...]:
    """Fold by file, to a target, to fit a part, or by default."""
    if options.folding is not None:
        choice = options.folding
        spec = read_folding(Path(choice)) if isinstance(choice, Path | str) else parse_folding(choice)
        return fold_as_told(layers, spec)
    if options.target_fps is not None:
        return fold_to_target(layers, math.floor(options.clock_mhz * 1e6 / options.target_fps))
    return fold_to_fit(layers, options.chosen_part) if options.fit else fold_by_default(layers)


def safe_name(name: str) -> str:
    """A name from outside as letters, digits, `-` and `_`, for titles and folder names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-") or "model"


def parse_input_type(text: str) -> IntType:
    """Read `bipolar`, `uint1` to `uint8` or `int2` to `int8`; raises `UsageError`."""
    kind = parse_type(text)
    if kind is None:
        raise UsageError(
            f"build: input type {text!r} is not known; give bipolar, uint1 to uint8 or int2 to int8"
        )
    return kind


def parse_scale(text: str) -> float:
    """Read a positive number or fraction such as `1/255`; raises `UsageError`."""
    numerator, is_fraction, denominator = text.partition("/")
    try:
        # Not by `Fraction`, which writes out powers of ten.
        scale = int(numerator) / int(denominator) if is_fraction else float(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        scale = math.nan
    if not (math.isfinite(scale) and scale > 0):
        raise UsageError(
            f"build: input scale '{printable(text)}' is not a positive number; "
            "give one such as 1/255 or 0.0039"
        )
    return scale


def export_module(module: Any, example_input: Any) -> OnnxModel:
    """Export a Brevitas or PyTorch module as QONNX and read it back.

    Raises:
        UsageError: There is no example input to trace it with.
        MissingToolError: Brevitas or torch is not installed.
        UnsupportedModelError: torch cannot export it, or what it exports is another network.
    """
    if example_input is None:
        raise UsageError(
            "build: a PyTorch module needs an example input to be exported; "
            "give example_input, a tensor of one frame with its batch axis"
        )
    try:
        from brevitas.export import export_qonnx
    except ImportError:
        raise MissingToolError(
            "build: exporting a PyTorch module needs Brevitas; pip install 'thresher[train]'"
        ) from None
    name = safe_name(type(module).__name__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        training = module.training
        module.eval()
        try:
            _export(export_qonnx, module, example_input, path)
            model = read_model(path)
            _check_export(module, example_input, model, name)
        finally:
            module.train(training)
        return model


def _export(export_qonnx: Any, module: Any, example_input: Any, path: Path) -> None:
    try:
        export_qonnx(module, args=(example_input,), export_path=str(path))
    except RuntimeError as error:
        said = str(error).strip().partition("\n")[0]
        raise UnsupportedModelError(
            f"build: module '{path.stem}': torch cannot export it ({type(error).__name__}: {said}); let it "
            "be traceable, without branches on values, or export it to ONNX yourself and build the file"
        ) from error


def _check_export(module: Any, example_input: Any, model: OnnxModel, name: str) -> None:
    """Do nothing where the exported model gives what the module gives for the example.

    Float32 may turn single values by a step, so the file is taken for another network only where most differ.

    Raises:
        UnsupportedModelError: Most of the values differ.
    """
    import torch

    with torch.no_grad():
        given = module(example_input)
    # Brevitas' layers may give a tensor with its scale.
    expected = np.asarray(getattr(given, "value", given).detach().cpu().numpy(), np.float64).reshape(-1)
    imported = import_model(model, operators=custom_operators())
    frame = np.asarray(example_input.detach().cpu().numpy(), np.float32)
    output = compute_output(imported, frame[:1])
    if output is None:
        return
    got = output.astype(np.float64).reshape(-1)
    count = min(len(got), len(expected))
    off = np.abs(got[:count] - expected[:count])
    if np.median(off) > _EXPORTED * np.abs(expected[:count]).max(initial=0):
        raise UnsupportedModelError(
            f"build: module '{name}': the ONNX model that Brevitas exports of it gives other values than the "
            f"module itself (by up to {off.max():.3g} for the example input), and so would the hardware; a "
            "QuantReLU of 1 bit, for one, is exported as a sign: use a sign, or 2 bits"
        )
