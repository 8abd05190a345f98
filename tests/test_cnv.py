"""Whole convolutional networks through the interface that users have: ONNX, golden, C and RTL simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import thresher
from tests.models import CNV_NETWORKS, export_cnv, export_network, padded_cnv, run_qonnx

# PE and SIMD of the nine matrices, as in the network's own paper (FINN, FPGA 2017): the sixth and the
# seventh layer take 32,768 cycles, and no other takes more.
FOLDING = [(16, 3), (32, 32), (16, 32), (16, 32), (4, 32), (1, 32), (1, 4), (1, 8), (5, 1)]
CYCLES_PER_FRAME = 32_768
IMAGES, RTL_FRAMES = 20, 5


@pytest.mark.parametrize("name", CNV_NETWORKS)
def test_cnv_in_c_simulation(name: str, tmp_path: Path) -> None:
    """As folded by default; every beat of every stream is golden's, and the scores are QONNX's."""
    model = tmp_path / f"{name}.onnx"
    proto = export_cnv(name, dynamo=name.startswith("cnv_1w2"), seed=3, path=model)
    images = np.random.default_rng(4).random((IMAGES, 3, 32, 32), np.float32)
    accelerator = thresher.build(model, output_dir=tmp_path / name)

    expected = run_qonnx(proto, images)[proto.graph.output[0].name]
    np.testing.assert_allclose(accelerator.predict(images), expected, rtol=0, atol=1e-5)
    run = accelerator.csim(images)
    assert (run.frames, run.mismatches) == (IMAGES, 0)


def test_cnv_in_rtl_at_the_rate_of_its_slowest_layers(tmp_path: Path) -> None:
    model = tmp_path / "cnv_1w1a.onnx"
    export_cnv("cnv_1w1a", dynamo=False, seed=5, path=model)
    folding = {f"mvu{index}": {"pe": pe, "simd": simd} for index, (pe, simd) in enumerate(FOLDING)}
    accelerator = thresher.build(model, output_dir=tmp_path / "cnv", folding=folding)
    estimate = accelerator.report()["estimate"]
    assert estimate["cycles_per_frame"] == CYCLES_PER_FRAME

    run = accelerator.sim(count=RTL_FRAMES)
    assert (run.frames, run.mismatches, run.warnings) == (RTL_FRAMES, 0, ())
    assert run.cycles_per_frame == CYCLES_PER_FRAME
    assert run.latency_cycles == estimate["latency_cycles"]
    fifos = accelerator.report()["fifos"]
    assert all(fifo["rtl_occupancy"] == fifo["occupancy"] for fifo in fifos)
    assert all(fifo["depth"] <= max(2, fifo["rtl_occupancy"] + 1) for fifo in fifos)


@pytest.mark.parametrize("weight_bits", [1, 2])
def test_padded_cnv_with_signs_throughout_in_rtl(weight_bits: int, tmp_path: Path) -> None:
    """An eighth of the channels; the full width is compared with torch where the lowering is tested."""
    import torch

    torch.manual_seed(weight_bits)
    network = padded_cnv(weight_bits, narrower=8)
    model = tmp_path / "padded.onnx"
    export_network(network, (1, 3, 32, 32), dynamo=False, path=model)
    images = np.random.default_rng(6).normal(0, 1, (3, 3, 32, 32)).astype(np.float32)
    accelerator = thresher.build(model, output_dir=tmp_path / "padded", target_fps=10_000)

    with torch.no_grad():
        np.testing.assert_array_equal(accelerator.predict(images), network(torch.from_numpy(images)).numpy())
    assert accelerator.csim(images).mismatches == 0
    run = accelerator.sim(images, stall=25)
    assert (run.frames, run.mismatches) == (3, 0)
