"""Kernels of networks that branch: what they take, the foldings that they refuse, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.kernels.small_branches import (
    INT3,
    UINT2,
    halved,
    joined,
    levels_of_sum,
    rescaled,
    selected,
    sum_of,
)
from thresher.errors import UsageError
from thresher.ir.integer import TensorType
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect
from thresher.kernels import Folding
from thresher.kernels.add import Add
from thresher.kernels.arithmetic import dsp_slices
from thresher.kernels.concat import Concat
from thresher.kernels.fork import Fork
from thresher.kernels.select import Select
from thresher_sim.streams import BIPOLAR, IntType


def test_a_concat_takes_what_divides_both_inputs() -> None:
    first, second, both = (TensorType(BIPOLAR, 1, channels) for channels in (12, 18, 30))
    concat = Concat(IntConcat("concat", "x", "xy", (), first, both, ("y",), (second,)))

    with pytest.raises(UsageError) as refused:
        concat.fold(Folding(4, 1))

    assert str(refused.value) == (
        "folding: concat: pe is 4, which does not divide both the 12 and the 18 channels that it joins; what "
        "works is 1, 2, 3, 6, 30"
    )
    assert concat.folding_limit == Folding(30, 1)
    assert [folded.pe for folded in concat.candidates(30)] == [1, 2, 3, 6, 30]


def test_a_concat_reads_the_beats_of_its_inputs_in_turn() -> None:
    schedule = joined().schedule()

    assert schedule.reads.astype(int).tolist() == [[1, 0, 0, 1, 0, 0], [0, 1, 1, 0, 1, 1]]
    assert schedule.writes.all()


def test_a_concat_of_whole_vectors_reads_both_inputs_at_once() -> None:
    whole = joined().fold(Folding(6, 1))

    assert [layout.lanes for layout in (*whole.input_layouts, whole.output_layout)] == [2, 4, 6]
    assert whole.schedule().reads.tolist() == [[True, True], [True, True]]


def test_joins_of_three_tensors_or_of_other_types_are_not_taken() -> None:
    add, concat = sum_of(UINT2, INT3).join, joined().join
    other_type = (replace(concat.other_types[0], element=UINT2),)

    assert Add.take([replace(add, others=("y", "z"), other_types=add.other_types * 2)]) is None
    assert Concat.take([replace(concat, others=("y", "z"), other_types=concat.other_types * 2)]) is None
    assert Concat.take([replace(concat, other_types=other_type)]) is None


def test_an_add_takes_the_thresholds_behind_it() -> None:
    whole = levels_of_sum()
    assert whole.threshold is not None

    taken = Add.take([whole.join, whole.threshold])

    assert taken is not None
    add, count = taken
    assert (add.threshold, count) == (whole.threshold, 2)
    assert add.output_layout.element == UINT2


@pytest.mark.parametrize("copies", [1, 5])
def test_a_fork_has_two_to_four_copies(copies: int) -> None:
    with pytest.raises(ValueError, match=f"^Fork: {copies} copies, where 2 to 4 are possible$"):
        Fork(TensorType(UINT2, 1, 2), copies)


def test_a_fork_is_taken_for_no_operator() -> None:
    assert Fork.take([sum_of(UINT2, INT3).join]) is None


def test_whole_beats_in_their_order_go_on_as_they_come() -> None:
    modes = {pe: selected([4, 5, 6], pe, 8).mode for pe in (1, 2, 3, 4, 8)}

    assert modes == {1: "kForward", 2: "kForward", 3: "kRegisters", 4: "kForward", 8: "kRegisters"}


def test_whole_beats_in_another_order_go_through_a_memory() -> None:
    modes = {pe: selected([4, 5, 6, 7, 0, 1, 2, 3], pe, 8).mode for pe in (1, 2, 4, 8)}

    assert modes == {1: "kMemory", 2: "kMemory", 4: "kMemory", 8: "kRegisters"}


def test_a_slice_drops_beats_at_the_rate_of_its_input() -> None:
    schedule = selected([2, 3, 4], 2, 5).schedule()

    assert schedule.reads.all()
    assert schedule.writes.astype(int).tolist() == [0, 1, 1, 0, 1, 1]


def test_a_vector_leaves_while_the_next_one_comes() -> None:
    memory, registers = selected([0, 2, 1, 3], 1).schedule(), selected([0, 2, 1, 3], 2).schedule()

    assert memory.reads.astype(int).tolist() == [1] * 8 + [0] * 4
    assert memory.writes.astype(int).tolist() == [0] * 4 + [1] * 8
    assert registers.reads.astype(int).tolist() == [1] * 4 + [0]
    assert registers.writes.astype(int).tolist() == [0] + [1] * 4


def test_all_channels_at_once_are_wires() -> None:
    shuffle = selected([0, 2, 1, 3], 4)

    assert shuffle.cycles_per_frame == 2
    assert shuffle.schedule().writes.all()


def test_a_select_of_a_large_map_is_as_fast_as_its_beats() -> None:
    source = TensorType(UINT2, 1000, 8)
    shuffle = IntSelect("select", "x", "y", (), source, source, np.arange(8)[::-1])

    assert Select(shuffle, 2).cycles_per_frame == 4 * 1000 + 3


def test_a_multiplier_that_is_one_power_of_two_is_a_constant() -> None:
    kernel = halved()

    assert kernel.tables() == {}
    assert {name: kernel.constants()[name] for name in ("kMultiplier", "kOffset", "kShift")} == {
        "kMultiplier": 1,
        "kOffset": 1,
        "kShift": 1,
    }
    assert kernel.resources().dsp == 0


def test_multipliers_that_differ_are_in_tables() -> None:
    kernel = rescaled()

    assert set(kernel.tables()) == {"starts", "multipliers", "offsets"}
    # Both segments of a channel are in a word, of which there is one for each tile of two channels.
    assert kernel.tables()["multipliers"].words.shape == (2, 2, 1)


def test_a_line_alike_for_all_channels_is_one_word() -> None:
    kernel = rescaled()
    alike = replace(
        kernel.rescale, **{name: getattr(kernel.rescale, name)[:1].repeat(3, axis=0) for name in LINES}
    )

    assert {table.words.shape for table in replace(kernel, rescale=alike).tables().values()} == {(2, 1, 1)}


LINES = ("starts", "multipliers", "offsets")


def test_numbers_as_wide_as_they_come() -> None:
    """A multiplier and a sum that no 32-bit number holds."""
    source = TensorType(IntType(-(2**15), 2**15 - 1), 1, 1)
    target = TensorType(IntType(-(2**24), 2**24 - 1), 1, 1)
    line = np.array([[3 * 2**40 + 1]]), np.array([[2**30]])
    rescale = IntRescale("rescale", "x", "y", (), source, target, np.zeros((1, 0), np.int64), *line, 32)
    kernel = replace(halved(), rescale=rescale)

    assert kernel.constants()["kHasMultipliers"] is True
    assert kernel.constants()["kSumBits"] == 58


@pytest.mark.parametrize(
    ("first", "second", "slices"),
    [(25, 18, 1), (18, 25, 1), (8, 8, 1), (26, 18, 2), (25, 19, 2), (35, 35, 4), (2, 2, 1)],
)
def test_slices_of_a_product(first: int, second: int, slices: int) -> None:
    assert dsp_slices(first, second) == slices


def test_an_add_holds_the_sums_of_its_types() -> None:
    types = [(BIPOLAR, BIPOLAR, 3), (UINT2, UINT2, 4), (INT3, UINT2, 4), (INT3, INT3, 4)]

    assert [sum_of(first, second).constants()["kSumBits"] for first, second, _ in types] == [
        bits for _, _, bits in types
    ]
    assert isinstance(sum_of(UINT2, INT3).join, IntAdd)
