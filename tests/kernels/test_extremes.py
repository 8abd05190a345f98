"""The frames that reach the bounds do reach them: sums in plain arithmetic, against the weights' signs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.by_hand import by_hand
from tests.kernels.cases import KERNELS, mvus, vvus
from tests.kernels.extremes import extreme_frames, stimulus
from thresher.kernels import Kernel, all_kernels
from thresher.kernels.mvu import Mvu
from thresher.kernels.vvu import Vvu


@given(kernel=mvus() | vvus())
def test_every_row_reaches_both_ends_of_its_sums(kernel: Mvu | Vvu) -> None:
    raw: Mvu | Vvu = replace(kernel, threshold=None, shared=None)
    operator = raw.matmul if isinstance(raw, Mvu) else raw.filters
    ends = [
        operator.weights * end for end in (operator.input_type.element.lo, operator.input_type.element.hi)
    ]
    low, high = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
    if operator.corrections is not None:
        lacks = operator.corrections.values.reshape(-1, len(low))
        low, high = low + lacks.min(axis=0), high + lacks.max(axis=0)

    sums = by_hand(raw, *extreme_frames(raw))

    by_row = sums.reshape(-1, len(operator.weights))
    assert by_row.min(axis=0).tolist() == low.tolist()
    assert by_row.max(axis=0).tolist() == high.tolist()


@pytest.mark.parametrize("kernel", all_kernels())
@given(data=st.data(), frames=st.integers(2, 20))
def test_stimulus_is_of_the_type_and_as_long_as_asked(
    kernel: type[Kernel], data: st.DataObject, frames: int
) -> None:
    unit = data.draw(KERNELS[kernel]())

    for fed, layout in zip(stimulus(np.random.default_rng(0), unit, frames), unit.input_layouts, strict=True):
        assert fed.shape == (frames, layout.vectors, layout.channels)
        # Lanes behind the last channel of a tile carry zero bits.
        padding = -1 if layout.element.bipolar else 0
        assert np.all((fed >= layout.element.lo) & (fed <= layout.element.hi) | (fed == padding))
