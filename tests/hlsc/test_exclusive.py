"""What is called exclusive never happens together, for every value of the inputs."""

from __future__ import annotations

import random

import pytest

from thresher.hlsc.builder import Builder
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.exclusive import exclusive
from thresher.hlsc.ir import Node, Output, UnitGraph

WIDTH = 9
"""More bits than those of which all values are listed."""


def values_of(bits: list[Node]) -> list[int]:
    """All values of `x` and, from bit 9 on, of `y`, for which all bits are 1."""
    outputs = tuple(Output(f"o{index}", 1, bit, bit) for index, bit in enumerate(bits))
    interpreter = Interpreter(UnitGraph((), outputs, (), (), {}))
    found = []
    for x in range(1 << WIDTH):
        for y in range(4):
            values = interpreter.evaluate({"x": x, "y": y})
            if all(values[bit] for bit in bits):
                found.append(x | y << WIDTH)
    return found


def comparison(builder: Builder, rng: random.Random) -> Node:
    x = builder.input("x", WIDTH)
    low = rng.choice([0, 0, 0, 2])
    operand = builder.slice(x, low, WIDTH - low)
    if rng.random() < 0.3:
        operand = builder.add(operand, builder.const(operand.width, rng.getrandbits(operand.width)))
    if rng.random() < 0.3:
        operand = builder.concat(
            [builder.const(1, 1), operand] if rng.random() < 0.5 else [operand, builder.const(2, 0)]
        )
    if rng.random() < 0.3:
        operand = builder.sext(operand, operand.width + 2)
    limit = builder.const(operand.width, rng.getrandbits(operand.width))
    compare = rng.choice([builder.eq, builder.ult, builder.slt])
    return compare(operand, limit) if rng.random() < 0.6 else compare(limit, operand)


def condition(builder: Builder, rng: random.Random, depth: int) -> Node:
    if depth == 0:
        y = builder.input("y", 2)
        return comparison(builder, rng) if rng.random() < 0.7 else builder.bit(y, rng.randrange(2))
    a, b = (condition(builder, rng, depth - 1) for _ in range(2))
    return rng.choice(
        [builder.and_(a, b), builder.or_(a, b), builder.xor(a, b), builder.not_(a), builder.select(a, b, a)]
    )


@pytest.mark.parametrize("seed", range(60))
def test_what_is_exclusive_has_no_common_value(seed: int) -> None:
    builder, rng = Builder(), random.Random(seed)
    depth = seed % 3
    a, b = condition(builder, rng, depth), condition(builder, rng, depth)

    assert values_of([a, b]) == [] or not exclusive(a, b)


@pytest.mark.parametrize("seed", range(60))
def test_comparisons_of_one_value_with_constants_are_decided(seed: int) -> None:
    builder, rng = Builder(), random.Random(seed)
    x = builder.input("x", WIDTH)
    compare = [builder.eq, builder.ult, builder.slt]
    bits = [
        rng.choice(compare)(*rng.sample([x, builder.const(x.width, rng.getrandbits(x.width))], 2))
        for x in (x, builder.sext(x, WIDTH + 2))
    ]
    bits = [builder.not_(bit) if rng.random() < 0.3 else bit for bit in bits]

    assert exclusive(bits[0], bits[1]) == (values_of(bits) == [])
