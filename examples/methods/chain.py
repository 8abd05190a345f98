"""From a method to its figures: train, export, build, simulate, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

import thresher
from method import Method, Variant
from training import Floats, Split, accuracy, torch_scores, train

SAMPLES = 200  # training images that float layers are calibrated on


@dataclass(frozen=True)
class Settings:
    """How much of it to do.

    Attributes:
        folder: The folder to write to.
        exporter: `dynamo` or `torchscript`.
        epochs: Of training; None for the method's own.
        images: So many held-out images go through everything.
    """

    folder: Path
    exporter: str = "dynamo"
    epochs: int | None = None
    images: int = 450


@dataclass(frozen=True)
class Outcome:
    """What one variant came to, on the same held-out images at every level.

    Attributes:
        method: Its name.
        variant: Its title.
        exact: Whether its classes are promised to be those of the ONNX model.
        images: How many there are.
        float_twin: Accuracy of the float network.
        quantised: Accuracy of the exported ONNX model.
        hardware: Accuracy of the RTL simulation, with what stays on the host.
        export_differs: Images whose class by the ONNX model is not PyTorch's.
        hardware_differs: Images whose class by the RTL simulation is not the ONNX model's.
        error: The largest difference of a score between the RTL simulation and the ONNX model.
        mismatches: Values of all streams in which the RTL simulation differs from the golden model.
        warnings: What the simulation warns of.
        cycles_per_frame: Measured in RTL.
    """

    method: str
    variant: str
    exact: bool
    images: int
    float_twin: float
    quantised: float
    hardware: float
    export_differs: int
    hardware_differs: int
    error: float
    mismatches: int
    warnings: tuple[str, ...]
    cycles_per_frame: float | None

    @property
    def holds(self) -> bool:
        """Whether everything is equal that is promised to be."""
        kept = self.hardware_differs == 0 or not self.exact
        return kept and self.mismatches == 0 and self.export_differs == 0


def run_method(method: Method, split: Split, settings: Settings, say: Callable[[str], None]) -> list[Outcome]:
    """Take every variant of a method from training to RTL simulation; `say` is told what is being done."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    networks: dict[Callable[[], nn.Module], nn.Module] = {}
    outcomes = []
    for index, variant in enumerate(method.variants, start=1):
        for make in (method.twin, variant.make):
            if make not in networks:
                say(f"{method.name}: training {'the float twin' if make == method.twin else variant.title}")
                networks[make] = train_anew(method, make, split, settings)
        say(f"{method.name}: exporting, building and simulating {variant.title}")
        model = settings.folder / f"{method.name}_{index}.onnx"
        network = networks[variant.make]
        method.export(network, model, settings.exporter)
        twin = torch_scores(networks[method.twin], split.test_x[: settings.images])
        outcomes.append(measure(method, variant, network, twin, model, split))
    return outcomes


def train_anew(method: Method, make: Callable[[], nn.Module], split: Split, settings: Settings) -> nn.Module:
    """A trained network, the same each time on one machine."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the matrices are too small to share, and the sums keep one order
    torch.use_deterministic_algorithms(True)
    epochs = method.epochs if settings.epochs is None else settings.epochs
    return train(make(), split, epochs, method.learning_rate)


def build(method: Method, variant: Variant, model: Path, split: Split) -> thresher.Accelerator:
    """The accelerator of an exported model, in a folder beside it."""
    options = dict(variant.build)
    if variant.calibrated:
        options["samples"] = split.train_x[:SAMPLES].reshape(-1, *method.frame)
    return thresher.build(model, model.with_name(f"{model.stem}_accelerator"), force=True, **options)


def measure(
    method: Method, variant: Variant, network: nn.Module, twin: Floats, model: Path, split: Split
) -> Outcome:
    """Build and simulate an exported model, on as many images as the float twin has scores of."""
    images, labels = split.test_x[: len(twin)], split.test_y[: len(twin)]
    accelerator = build(method, variant, model, split)
    frames = images.reshape(-1, *method.frame)
    run = accelerator.sim(frames, labels=labels, dataset="digits, held out")
    rtl = accelerator.host.decode(run.outputs)
    onnx = method.scores(model, frames)
    return Outcome(
        method=method.name,
        variant=variant.title,
        exact=variant.exact,
        images=len(images),
        float_twin=accuracy(twin, labels),
        quantised=accuracy(onnx, labels),
        hardware=accuracy(rtl, labels),
        export_differs=differing(onnx, torch_scores(network, images)),
        hardware_differs=differing(rtl, onnx),
        error=float(np.abs(rtl - onnx).max()),
        mismatches=run.mismatches,
        warnings=run.warnings,
        cycles_per_frame=run.cycles_per_frame,
    )


def differing(scores: Floats, others: Floats) -> int:
    """The number of images that are taken for another class."""
    return int((scores.argmax(1) != others.argmax(1)).sum())
