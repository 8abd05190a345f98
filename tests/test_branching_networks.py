"""Residual, U-shaped and depthwise-separable networks of Brevitas: ONNX, golden, C and RTL simulation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thresher
from tests.branching_models import residual_network, separable_network, u_shaped_network
from tests.models import export_network, run_qonnx

IMAGES, RTL_FRAMES = 16, 6

Networks = dict[str, tuple[Callable[[], Any], tuple[int, ...], bool]]
EXACT: Networks = {
    "residual": (lambda: residual_network(shared=True), (1, 2, 8, 8), False),
    "u_shaped": (u_shaped_network, (1, 1, 8, 8), True),
    "separable": (separable_network, (1, 3, 16, 16), False),
}


def build(make: Callable[[], Any], shape: tuple[int, ...], dynamo: bool, folder: Path, **options: Any) -> Any:
    import torch

    torch.manual_seed(7)
    network = make()
    network.train()
    with torch.no_grad():
        for _ in range(8):
            network(torch.rand(8, *shape[1:]))
    model = folder / "model.onnx"
    proto = export_network(network, shape, dynamo, model, statistics=False)
    images = np.random.default_rng(8).random((IMAGES, *shape[1:]), np.float32)
    expected = run_qonnx(proto, images)[proto.graph.output[0].name]
    return thresher.build(model, output_dir=folder / "project", **options), images, expected


def check_streams(accelerator: Any, images: Any) -> None:
    """Every beat of every stream is golden's: in C, in RTL at the stated rate, under stalls, after resets."""
    assert accelerator.csim(images).mismatches == 0
    estimate = accelerator.report()["estimate"]
    run = accelerator.sim(images[:RTL_FRAMES])
    assert (run.frames, run.mismatches, run.warnings) == (RTL_FRAMES, 0, ())
    assert run.latency_cycles == estimate["latency_cycles"]
    assert run.cycles_per_frame == estimate["cycles_per_frame"]
    reset = accelerator.sim(images[:RTL_FRAMES], stall=20, seed=3, resets=20)
    assert (reset.comparison.resets, reset.mismatches) == (20, 0)
    for seed in (1, 2):
        stalled = accelerator.sim(images[:RTL_FRAMES], stall=40, seed=seed)
        assert (stalled.frames, stalled.mismatches) == (RTL_FRAMES, 0)


@pytest.mark.parametrize("name", EXACT)
def test_networks_that_are_exact(name: str, tmp_path: Path) -> None:
    accelerator, images, expected = build(*EXACT[name], tmp_path)
    # The integers are the same; only the host's last product is rounded in another order.
    np.testing.assert_allclose(accelerator.predict(images), expected, rtol=0, atol=1e-6)
    assert accelerator.report()["approximations"] == []
    check_streams(accelerator, images)


def test_a_residual_network_of_different_scales_is_as_near_as_stated(tmp_path: Path) -> None:
    """Of 24 bits, so that no activation in between is taken to the next level."""
    accelerator, images, expected = build(
        lambda: residual_network(shared=False), (1, 2, 8, 8), False, tmp_path, add_bits=24
    )
    stated = accelerator.report()["approximations"]
    assert len(stated) == 3
    off = np.abs(accelerator.predict(images).astype(np.float64) - expected).max()
    assert off <= stated[-1]["error"] + 1e-5
    check_streams(accelerator, images)
