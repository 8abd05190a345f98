"""Accuracy, time and size of a float twin, the quantised model and its accelerator, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from thresher.accuracy import check_labels
from thresher.api import Accelerator, load
from thresher.errors import UsageError
from thresher.evaluation.measure import Announce, Networks, Simulated, host_parts, measure_levels
from thresher.evaluation.results import Evaluation, Level
from thresher.host import check_array
from thresher.inputs import warn_of_inputs
from thresher.onnx_import import read_model

__all__ = ["Evaluation", "Level", "evaluate"]


def evaluate(  # noqa: PLR0913  (the command's options)
    project: Accelerator | Path | str,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    model: Path | str | None = None,
    float_model: Path | str | None = None,
    frames: int | None = None,
    csim: int | None = None,
    rtl: int | None = None,
    dataset: str | None = None,
    announce: Announce = lambda _: None,
) -> Evaluation:
    """Measure accuracy, time and size of an accelerator, and of the models that it can be compared with.

    What is not given is left out: a model, its accuracy without labels, a simulation.

    Args:
        project: An accelerator, or the folder of its project.
        inputs: Images `[N, ...]`, as `predict` takes them.
        labels: The class of each.
        model: The quantised ONNX model that it was built from.
        float_model: A float network for the same inputs, as ONNX of standard operators.
        frames: Only the first images.
        csim: As many of them to simulate as C++.
        rtl: As many of them to simulate as RTL.
        dataset: The name of the images.
        announce: Told what is being measured.

    Raises:
        UsageError: The images or labels do not fit a model, or a model is not what it should be.
        MissingToolError, ToolFailedError: As the simulations. A mismatch does not raise; it is in the result.
    """
    accelerator = project if isinstance(project, Accelerator) else load(project)
    prologue, lowered = accelerator.host.prologue, accelerator.host.lowered
    array = np.asarray(inputs)
    check_array(array, lowered.input.onnx_shape if prologue is None else prologue.input_shape)
    for what, count in (("frames", frames), ("csim", csim), ("rtl", rtl)):
        _check_count(what, count, len(array) if frames is None or what == "frames" else frames)
    networks = Networks(
        quantised=None if model is None else read_model(model),
        float_twin=None if float_model is None else read_model(float_model),
    )
    classes = None
    if labels is not None:
        classes = check_labels(labels, len(array), accelerator.host.classes, frames)
    array = array[:frames]
    warn_of_inputs(accelerator.host, array)
    levels = measure_levels(accelerator, array, classes, networks, Simulated(csim, rtl), announce)
    report = accelerator.report()
    return Evaluation(
        model=report["model"]["name"],
        dataset=dataset or "given frames",
        clock_mhz=float(report["clock_mhz"]),
        levels=levels,
        float32_bytes=int(report["model"]["float32_bytes"]),
        host_parts=tuple(path.stem for path in host_parts(accelerator.directory / "model")),
    )


def _check_count(what: str, count: int | None, most: int) -> None:
    if count is not None and not 1 <= count <= most:
        raise UsageError(f"evaluate: {what}: {count} of {most} images cannot be taken; give 1 to {most}")
