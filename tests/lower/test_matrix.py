"""Every elementwise operator x every one that moves or picks elements x every way to end.

Each equals onnxruntime with its optimisations off, or is refused in words. What is refused is listed, so
that no support is lost unseen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import pytest

from tests.lower.helpers import compile_proto
from tests.lower.matrix import ELEMENTWISE, ENDS, MAP, MOVES, build_model, expected
from tests.models import Array, ModelBuilder
from thresher.errors import UnsupportedModelError
from thresher_sim.streams import IntType

SCALE = 0.5
# One mark for each elementwise operator, in their order: x is refused.
REFUSED: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "quantiser": {
        (
            "none",
            "Identity",
            "Reshape",
            "Reshape across",
            "Flatten",
            "Unsqueeze, Squeeze",
            "Unsqueeze",
            "Transpose",
            "Transpose to the end",
            "DepthToSpace",
            "SpaceToDepth",
        ): "............x.......x......",
        (
            "Slice",
            "Split",
            "Gather",
            "Resize",
            "Upsample",
        ): "...x........x.......x......",
        ("Slice pixels",): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ("Concat",): "...x........x..............",
    },
    "quantiser, layer": {
        (
            "none",
            "Identity",
            "Reshape",
            "Flatten",
            "Unsqueeze, Squeeze",
            "Unsqueeze",
        ): "............x.......x......",
        (
            "Reshape across",
            "Transpose",
            "Transpose to the end",
            "Slice pixels",
            "DepthToSpace",
            "SpaceToDepth",
        ): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        (
            "Slice",
            "Split",
            "Gather",
            "Resize",
            "Upsample",
        ): "...x........x.......x......",
        ("Concat",): "...x........x..............",
    },
    "layer": {
        (
            "none",
            "Identity",
            "Reshape",
            "Flatten",
            "Unsqueeze, Squeeze",
            "Unsqueeze",
            "Resize",
            "Upsample",
        ): ".xxxxxx...x.x.xxxxxxxxxx...",
        (
            "Reshape across",
            "Transpose",
            "Transpose to the end",
            "Slice pixels",
            "DepthToSpace",
            "SpaceToDepth",
        ): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        (
            "Slice",
            "Split",
        ): ".xxx.xx...x.x........xxx...",
        ("Gather",): ".xxx.xx.....x........xxx...",
        ("Concat",): ".xxx.xx.....x..............",
    },
    "sum": {
        (
            "none",
            "Identity",
            "Reshape",
            "Reshape across",
            "Flatten",
            "Unsqueeze, Squeeze",
            "Unsqueeze",
            "Transpose",
            "Transpose to the end",
            "DepthToSpace",
            "SpaceToDepth",
        ): "............x.......x......",
        (
            "Slice",
            "Split",
            "Gather",
            "Resize",
            "Upsample",
        ): "...x........x.......x......",
        ("Slice pixels",): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ("Concat",): "...x........x..............",
    },
    "max-pool": {
        (
            "none",
            "Identity",
            "Resize",
            "Upsample",
        ): "...x........x.......x......",
        (
            "Reshape",
            "Unsqueeze, Squeeze",
        ): "............x.......x......",
        (
            "Reshape across",
            "Transpose",
            "Transpose to the end",
            "Slice pixels",
            "DepthToSpace",
            "SpaceToDepth",
        ): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        (
            "Slice",
            "Split",
            "Gather",
            "Concat",
        ): "...x........x..............",
    },
    "average": {
        (
            "none",
            "Identity",
            "Reshape",
            "Unsqueeze, Squeeze",
            "Slice",
            "Split",
            "Gather",
            "Resize",
            "Upsample",
            "Concat",
        ): "...x........x..............",
        (
            "Reshape across",
            "Transpose",
            "Transpose to the end",
            "Slice pixels",
            "DepthToSpace",
            "SpaceToDepth",
        ): "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
    },
}

INTEGERS = np.random.default_rng(0).integers(-8, 8, (3, *MAP[1:]))


@pytest.mark.parametrize("elementwise", ELEMENTWISE)
def test_combinations(elementwise: str) -> None:
    marks = {}
    for move in MOVES:
        if elementwise == "Round" and move == "Upsample":
            # No opset has both.
            continue
        for end, want in expected(elementwise, move, INTEGERS.astype(np.float32) * SCALE).items():
            proto, _ = build_model(ModelBuilder, elementwise, move, end)
            got = predicted(proto)
            if got is not None:
                assert got.shape == want.shape
                # Only the Sigmoid and the division by x round.
                np.testing.assert_allclose(got, want, rtol=1e-6, atol=0, err_msg=f"{move}, {end}")
            marks[move, end] = "." if got is not None else "x"
    place = list(ELEMENTWISE).index(elementwise)
    assert marks == {(move, end): mark_of(move, end, place) for move, end in marks}


def predicted(proto: onnx.ModelProto) -> Array | None:
    """What the integer network makes of the frames; None where the model is refused."""
    try:
        compiled = compile_proto(proto, input_type=IntType(-8, 7), input_scale=SCALE)
    except UnsupportedModelError as refusal:
        assert "; " in str(refusal)
        assert str(refusal).startswith(("lower: node '", "import: node '"))
        return None
    assert compiled.lowered.approximations == ()
    return compiled.predict(INTEGERS)


def mark_of(move: str, end: str, place: int) -> str:
    rows = [row for moves, row in REFUSED.get(end, {}).items() if move in moves]
    return rows[0][place] if rows else "."


def test_the_list_names_what_there_is() -> None:
    assert set(REFUSED) <= set(ENDS)
    for rows in REFUSED.values():
        for moves, row in rows.items():
            assert set(moves) <= set(MOVES)
            assert len(row) == len(ELEMENTWISE)
