"""Thirty models to build: public networks, branches, widths of every kind, and random ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import onnx

from tests.branching_models import residual_network, separable_network, u_shaped_network
from tests.fuzz_networks.description import write_network
from tests.fuzz_networks.generate import random_description
from tests.models import export_bnn, export_cnv, export_network, padded_cnv
from tests.small_models import small_model

_RANDOM = 19
# The seed of the first random network: those from 0 on are drawn by other tests.
_FIRST_SEED = 4_000_000


@dataclass(frozen=True)
class Case:
    """A model, and how it is built.

    Attributes:
        name: the name of its file and of its project.
        model: the ONNX file.
        options: of `thresher build`, besides the model and the output.
        measured: whether its RTL simulation and its size by Yosys are compared as well.
    """

    name: str
    model: Path
    options: tuple[str, ...] = ()
    measured: bool = False


_Write = Callable[[Path], Any]


def write_cases(folder: Path) -> Iterator[Case]:
    """Write each model to `folder` as its turn comes."""
    for name, write, options, measured in _LISTED:
        path = folder / f"{name}.onnx"
        write(path)
        yield Case(name, path, options, measured)
    for seed in range(_FIRST_SEED, _FIRST_SEED + _RANDOM):
        path = folder / f"random{seed}.onnx"
        onnx.save(write_network(random_description(seed)).proto, path)
        yield Case(path.stem, path)


def _small(seed: int, path: Path) -> None:
    onnx.save(small_model(seed), path)


def _export(make: Callable[[], Any], shape: tuple[int, ...], path: Path) -> None:
    """Export a network that has seen some inputs, so that its scales and statistics are its own."""
    import torch

    torch.manual_seed(0)
    network = make().train()
    with torch.no_grad():
        for _ in range(8):
            network(torch.rand(8, *shape[1:]))
    export_network(network, shape, False, path, statistics=False)


_LISTED: tuple[tuple[str, _Write, tuple[str, ...], bool], ...] = (
    ("small", partial(_small, 0), (), True),
    ("small_fast", partial(_small, 1), ("--clock-mhz", "300", "--target-fps", "20000000"), True),
    ("tfc_1w1a", partial(export_bnn, "tfc_1w1a", False, 0), (), True),
    ("tfc_2w2a", partial(export_bnn, "tfc_2w2a", False, 0), ("--target-fps", "100000"), False),
    ("lfc_1w1a", partial(export_bnn, "lfc_1w1a", False, 0), (), False),
    ("cnv_1w1a", partial(export_cnv, "cnv_1w1a", False, 0), ("--target-fps", "1000"), False),
    ("padded_cnv", partial(_export, partial(padded_cnv, 1, 8), (1, 3, 32, 32)), (), True),
    ("residual", partial(_export, partial(residual_network, shared=True), (1, 2, 8, 8)), (), True),
    ("unequal", partial(_export, partial(residual_network, shared=False), (1, 2, 8, 8)), (), False),
    ("u_shaped", partial(_export, u_shaped_network, (1, 1, 8, 8)), (), False),
    ("separable", partial(_export, separable_network, (1, 3, 16, 16)), (), False),
)
