"""Faults that were silent once, put back: a build finds each of them by itself, and simulations theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import thresher
from tests.kernels.signed_sums import make_sums_signed
from tests.models import ModelBuilder
from thresher.cli import main
from thresher.ir.quant_joins import Pick
from thresher.ir.quantisers import Quantiser
from thresher.lower import ends, grids, settle, sums
from thresher.lower.forms import Pending
from thresher.lower.grids import Grid, Term
from thresher.lower.lowering import Lowering
from thresher.lower.picks import repeating, upsample
from thresher.lower.staircase import fitted
from thresher.verification import VerificationError
from thresher_sim.streams import IntType


def built(proto: onnx.ModelProto, folder: Path) -> thresher.Accelerator:
    onnx.save(proto, folder / "m.onnx")
    return thresher.build(folder / "m.onnx", folder / "project")


def refusal(proto: onnx.ModelProto, folder: Path) -> str:
    """What the build says that fails; it leaves nothing behind."""
    with pytest.raises(VerificationError) as failed:
        built(proto, folder)
    assert [path.name for path in folder.iterdir()] == ["m.onnx"]
    return str(failed.value)


def far_apart(scale: float) -> onnx.ModelProto:
    build = ModelBuilder((1, 4))
    first = build.quant("x", 1.0, bits=8, name="first")
    product = build.node("MatMul", first, build.weights(np.eye(4)))
    return build.proto(
        build.node("Add", first, build.quant(product, scale, bits=8, name="second"), name="sum")
    )


def test_a_sum_of_far_apart_scales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its step was the finest slope whatever the bits, and the host cut what came out to 32 bits."""

    def finest_step(terms: Sequence[Term], largest: float, bits: int) -> float:
        slope = min(slope for term in terms for slope in grids._one_slope(term))
        return float(
            np.ldexp(slope, -max(0, int(np.floor(np.log2(slope * (2 ** (bits - 1) - 1) / largest)))))
        )

    def fixed(terms: Sequence[Term], bits: int) -> Grid:
        return grids.fixed_grid(terms, bits)

    monkeypatch.setattr(grids, "_step", finest_step)
    monkeypatch.setattr(sums, "joint_grid", fixed)
    monkeypatch.setattr(ends, "_check_width", lambda *_: None)

    message = refusal(far_apart(1e-10), tmp_path)

    assert message.startswith(
        "verification: node 'sum': the hardware would not compute its output 'sum_y' as"
    )


def test_a_factor_in_front_of_upsampling_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels were repeated before the factor, and what came out was taken for what is behind it."""

    def careless(self: Lowering, node: Pick, form: Pending) -> Pending:
        repeated = repeating(node, form.final_index().shape, form.final_axes())
        made, result = upsample(repeated, replace(form, steps=()), node.onnx_nodes, self._named)  # type: ignore[arg-type]
        return self._add(made, replace(result, steps=form.steps))

    build = ModelBuilder((1, 2, 4, 4))
    product = build.node("Conv", build.quant("x", name="first"), build.weights(np.eye(2)[..., None, None]))
    eighths = build.node("Mul", build.quant(product, name="second"), np.float32(0.125))
    sizes = np.array([1, 1, 2, 1], np.float32)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    proto = build.proto(build.node("Resize", eighths, "", sizes, name="up", **how))
    monkeypatch.setattr(Lowering, "_pick", careless)

    message = refusal(proto, tmp_path)

    assert message.startswith("verification: node 'up': the hardware would not compute its output 'up_y' as")


@pytest.mark.parametrize("op", ["Round", "Floor", "Ceil"])
def test_a_rounding_that_is_constant_at_its_limit(
    op: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second level was added above the limit, and the limit went with it."""

    def two_levels(quantiser: Quantiser, form: Pending) -> Quantiser:
        own = fitted(quantiser, form)
        low, high = own.element.lo, own.element.hi
        return replace(own, element=IntType(low, max(high, low + 1)))

    monkeypatch.setattr(settle, "fitted", two_levels)
    build = ModelBuilder((1, 4))
    product = build.node("MatMul", build.quant("x", name="first"), build.weights(np.eye(4)))
    far = build.node("Add", build.node("Mul", product, np.float32(0.001)), np.float32(50))
    limited = build.node("Clip", build.node(op, far), np.float32(0), np.float32(3), name="clip")
    proto = build.proto(build.node("MatMul", limited, build.weights(np.ones((4, 2)))))

    message = refusal(proto, tmp_path)

    assert message.startswith(
        "verification: node 'clip': the hardware would not compute its output 'clip_y' as"
    )


def signs(fan_in: int) -> onnx.ModelProto:
    """A layer of signs whose largest sums reach a power of two."""
    random = np.random.default_rng(fan_in)
    build = ModelBuilder((1, fan_in))
    weights = build.weights(random.integers(0, 2, (fan_in, 16)) * 2 - 1, 1.0, 2)
    return build.proto(build.bipolar(build.node("MatMul", build.bipolar("x"), weights)))


def test_a_sum_that_overflows(tmp_path: Path) -> None:
    """Without modular arithmetic, a project's own vectors show what is wrong."""
    onnx.save(signs(64), tmp_path / "m.onnx")
    folding: dict[str, Any] = {"mvu0": {"pe": 16, "simd": 64}}
    accelerator = thresher.build(tmp_path / "m.onnx", tmp_path / "project", folding=folding)
    assert accelerator.csim().mismatches == 0 and accelerator.sim().mismatches == 0
    make_sums_signed(tmp_path / "project" / "hls")

    assert main(["csim", str(tmp_path / "project")]) == 1
    assert main(["sim", str(tmp_path / "project")]) == 1
