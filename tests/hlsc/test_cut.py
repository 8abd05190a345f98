"""Operations that are cut into parts compute what the whole operations do."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from thresher.hlsc.builder import Builder
from thresher.hlsc.cut import cut
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.ir import Input, Node, Op, Output, UnitGraph
from thresher.hlsc.schedule.delay import delay_model

WIDTHS = (8, 9, 33, 100)
CLOCKS = (100.0, 250.0, 500.0)
FAMILIES = ("xc7", "ecp5")


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


Meaning = Callable[[int, int, int], int]
Making = Callable[[Builder, Node, Node], Node]


def amount(builder: Builder, b: Node) -> Node:
    """A shift's amount: up to twice the width."""
    return builder.low(b, b.width.bit_length())


def shift(method: Callable[[Builder, Node, Node], Node]) -> Making:
    return lambda builder, a, b: method(builder, a, amount(builder, b))


def by(b: int, width: int) -> int:
    return b & ((1 << width.bit_length()) - 1)


def small(builder: Builder, value: Node) -> Node:
    """A signed number of half the bits."""
    return builder.sext(builder.low(value, value.width // 2), value.width)


def half(value: int, width: int) -> int:
    return signed(value & ((1 << width // 2) - 1), width // 2)


DIGITS = int("10110101" * 50, 2)
"""A factor of many digits, whatever its width."""

OPERATIONS: dict[str, tuple[Making, Meaning]] = {
    "add": (Builder.add, lambda a, b, width: a + b),
    "sub": (Builder.sub, lambda a, b, width: a - b),
    "mul": (Builder.mul, lambda a, b, width: a * b),
    "mul of signed halves": (
        lambda builder, a, b: builder.mul(small(builder, a), small(builder, b)),
        lambda a, b, width: half(a, width) * half(b, width),
    ),
    "mul by a constant": (
        lambda builder, a, b: builder.mul(a, builder.const(a.width, DIGITS)),
        lambda a, b, width: a * DIGITS,
    ),
    "shl": (shift(Builder.shl), lambda a, b, width: a << by(b, width)),
    "lshr": (shift(Builder.lshr), lambda a, b, width: a >> by(b, width)),
    "ashr": (shift(Builder.ashr), lambda a, b, width: signed(a, width) >> by(b, width)),
    "eq": (Builder.eq, lambda a, b, width: int(a == b)),
    "ult": (Builder.ult, lambda a, b, width: int(a < b)),
    "slt": (Builder.slt, lambda a, b, width: int(signed(a, width) < signed(b, width))),
}


def values(rng: random.Random, width: int) -> list[tuple[int, int]]:
    """Pairs of operands: random, equal, and at the ends of what carries and signs can be."""
    ends = [0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
    pairs = [(rng.getrandbits(width), rng.getrandbits(width)) for _ in range(20)]
    return [*pairs, *[(a, a) for a, _ in pairs[:5]], *[(a, b) for a in ends for b in ends]]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_parts_make_the_whole(name: str, width: int) -> None:
    make, meaning = OPERATIONS[name]
    builder = Builder()
    always = builder.const(1, 1)
    pair = builder.input("x", 2 * width)
    result = make(builder, builder.slice(pair, 0, width), builder.slice(pair, width, width))
    graph = UnitGraph(
        (Input("x", 2 * width, always),), (Output("y", result.width, always, result),), (), (), {}
    )
    pairs = values(random.Random(f"{name} {width}"), width)
    expected = [meaning(a, b, width) & result.mask for a, b in pairs]

    for family in FAMILIES:
        for clock in CLOCKS:
            parts = cut(graph, delay_model(family), clock)
            steps = Interpreter(parts).run({"x": [a | b << width for a, b in pairs]}, len(pairs))
            assert steps["y"] == expected, (family, clock)


def test_a_fast_clock_cuts_and_a_slow_one_does_not() -> None:
    builder = Builder()
    always = builder.const(1, 1)
    pair = builder.input("x", 400)
    total = builder.add(builder.slice(pair, 0, 200), builder.slice(pair, 200, 200))
    graph = UnitGraph((Input("x", 400, always),), (Output("y", 200, always, total),), (), (), {})
    delays = delay_model("xc7")

    def sums(clock_mhz: float) -> list[int]:
        return [node.width for node in cut(graph, delays, clock_mhz).nodes() if node.op is Op.ADD]

    assert sums(10.0) == [200]
    assert len(sums(300.0)) > 1
    assert all(
        delays.delay_ns(node) <= delays.usable_ns(300.0)
        for node in cut(graph, delays, 300.0).nodes()
        if node.op is Op.ADD
    )
