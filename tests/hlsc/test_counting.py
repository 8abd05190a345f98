"""Counts of bits are groups and carries: of the right value, and no more of them than there must be."""

from __future__ import annotations

import random

import pytest

from thresher.hlsc.builder import Builder
from thresher.hlsc.compiler import optimise
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.ir import Input, Node, Op, Output, UnitGraph
from thresher.hlsc.schedule.delay import delay_model

MOST_BITS = 70
NUMBER_BITS = 9
STEPS = 12
GROUP = {True: 3, False: 6}
"""The bits of a group, by whether a gate makes each of them."""


def counting_unit(bits: int, others: int, gated: bool) -> UnitGraph:
    """The number of ones in `x`, or in what `x` and `w` agree in, and `others` numbers."""
    builder = Builder()
    ports = {"x": bits, "w": bits} | {f"n{place}": NUMBER_BITS for place in range(others)}
    x, w, *numbers = (builder.input(name, width) for name, width in ports.items())
    total = builder.resize(builder.popcount(builder.not_(builder.xor(x, w)) if gated else x), 16)
    for number in numbers:
        total = builder.add(total, builder.sext(number, 16))
    always = builder.const(1, 1)
    inputs = tuple(Input(name, width, always) for name, width in ports.items())
    return UnitGraph(inputs, (Output("y", 16, always, total),), (), (), {})


def beats(rng: random.Random, width: int) -> list[int]:
    return [0, (1 << width) - 1, *(rng.getrandbits(width) for _ in range(STEPS - 2))]


def signed(number: int) -> int:
    return number - (number >> (NUMBER_BITS - 1) << NUMBER_BITS)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("others", range(4))
def test_a_count_is_the_number_of_ones(others: int, gated: bool) -> None:
    rng = random.Random(others)
    for bits in range(1, MOST_BITS + 1):
        unit = counting_unit(bits, others, gated)
        words = {port.name: beats(rng, port.width) for port in unit.inputs}
        optimised = optimise(unit, delay_model("xc7"))
        assert all(node.op is not Op.POPCOUNT for node in optimised.nodes()), bits
        found = Interpreter(optimised).run(words, STEPS)["y"]

        for step, total in enumerate(found):
            mask = (1 << bits) - 1
            ones = (~(words["x"][step] ^ words["w"][step]) & mask if gated else words["x"][step]).bit_count()
            numbers = sum(signed(words[f"n{place}"][step]) for place in range(others))
            assert total == (ones + numbers) % 2**16, bits
        assert len(found) == STEPS


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("others", range(4))
def test_there_are_the_fewest_groups_and_every_sum_takes_a_bit(others: int, gated: bool) -> None:
    """As few as have a place for every bit: in a group, or in the sum of two groups or numbers."""
    size = GROUP[gated]
    for bits in range(1, MOST_BITS + 1):
        nodes = optimise(counting_unit(bits, others, gated), delay_model("xc7")).nodes()
        sums = [node for node in nodes if node.op is Op.ADD]
        groups = len(sums) + 1 - others
        carries = sum(map(has_carry, sums))
        counted = [node for node in nodes if node.op is Op.COMPRESS]

        assert all(node.value == size or node.args[0].width <= node.value for node in counted), bits
        assert groups * size + carries >= bits, bits
        assert groups in (0, -(-(bits + 1 - others) // (size + 1))), bits
        assert (groups - 1) * size + max(0, groups - 1 + others - 1) < bits, bits
        assert sum(node.args[0].width for node in counted) in (bits - carries, bits - carries - 1), bits


def has_carry(total: Node) -> bool:
    """Whether the operands of a sum have a pair of bits below them that adds up to a carry."""
    lowest = [arg.args[0] for arg in total.args if arg.op is Op.CONCAT]
    return len(lowest) == 2 and any(bit.op is Op.CONST and bit.value & 1 for bit in lowest)
