"""PyTorch's two ONNX exporters, and the scores of what they write."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from training import SIDE, Floats

EXPORTERS = ("dynamo", "torchscript")


def export_plain(network: nn.Module, model: Path, exporter: str) -> None:
    """Write `network` to `model` with standard operators, for one image at a time.

    Args:
        network: In evaluation mode; takes `[1, 1, 8, 8]`.
        model: The file to write.
        exporter: `dynamo`, which traces with torch.export and is torch's own choice, or `torchscript`.
    """
    # torch's exporter reports every operator of torchvision that it cannot find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the second exporter, and inside the first
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 1, SIDE, SIDE),),
            str(model),
            dynamo=exporter == "dynamo",
            input_names=["pixels"],
            output_names=["scores"],
            verbose=False,
        )


def onnx_scores(model: Path, images: Floats) -> Floats:
    """The scores `[N, 10]` of the exported model by onnxruntime, image by image."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
