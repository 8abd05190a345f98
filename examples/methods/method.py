"""What one example of a binarisation method consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from exporting import export_plain, onnx_scores
from training import SIDE, Floats

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Variant:
    """One way to use a method: its network, and how its accelerator is built.

    Variants of a method with the same `make` share the trained network.

    Attributes:
        title: What sets it apart from the other variants.
        make: Makes the network, which takes pixels `[N, 1, 8, 8]` from 0 to 16 and gives 10 scores.
        build: Arguments of `thresher.build`.
        calibrated: Whether the build is given training images as `samples`.
        exact: Whether the accelerator's classes are promised to be those of the ONNX model; they are not
            where fixed point stands for other numbers, or where it is asked to leave something out.
    """

    title: str
    make: Callable[[], nn.Module]
    build: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    calibrated: bool = False
    exact: bool = True


@dataclass(frozen=True)
class Method:
    """A binarisation method and how its networks are trained.

    Attributes:
        name: As in the command line.
        paper: Authors, title, year, arXiv number.
        twin: Makes the float network of the same topology.
        variants: At least one.
        epochs: Of training, for the network and for its twin.
        learning_rate: Of Adam, at the start.
        export: Writes a trained network to an ONNX file; takes the exporter's name as well.
        scores: The scores `[N, 10]` of an exported model, by what is not Thresher.
        frame: The shape of one image as the ONNX model takes it.
    """

    name: str
    paper: str
    twin: Callable[[], nn.Module]
    variants: tuple[Variant, ...]
    epochs: int = 30
    learning_rate: float = 0.01
    export: Callable[[nn.Module, Path, str], None] = export_plain
    scores: Callable[[Path, Floats], Floats] = onnx_scores
    frame: tuple[int, ...] = (1, SIDE, SIDE)
