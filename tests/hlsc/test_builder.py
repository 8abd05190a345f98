"""The builder's rules: whatever it returns computes what was asked for, and claims only what is true."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thresher.hlsc.builder import Builder
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.ir import Node, Op, Output, Table, UnitGraph, reachable

WIDTHS = (1, 2, 3, 5, 8, 13)
PORTS = {f"x{width}": width for width in WIDTHS}
TABLE = Table("table", 6, (1, 5, 9, 13, 33))


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


Meaning = Callable[[dict[str, int]], int]


class Expressions:
    """Random expressions as a node and, beside it, as plain arithmetic on Python's integers."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.builder = Builder()

    def make(self, width: int, depth: int) -> tuple[Node, Meaning]:
        if depth == 0 or self.rng.random() < 0.1:
            return self.leaf(width)
        kinds = [self.binary, self.select, self.turned, self.wires, self.compare, self.unary]
        return self.rng.choice(kinds)(width, depth - 1)

    def leaf(self, width: int) -> tuple[Node, Meaning]:
        if self.rng.random() < 0.4:
            value = self.rng.choice([0, 1, (1 << width) - 1, self.rng.getrandbits(width)])
            return self.builder.const(width, value), lambda _, value=value % (1 << width): value
        port, have = self.rng.choice(list(PORTS.items()))
        node = self.builder.resize(self.builder.input(port, have), width)
        return node, lambda beats: beats[port] % (1 << width)

    def binary(self, width: int, depth: int) -> tuple[Node, Meaning]:
        (a, of_a), (b, of_b) = self.make(width, depth), self.make(width, depth)
        name, meaning = self.rng.choice(BINARY)
        node = getattr(self.builder, name)(a, b)
        return node, lambda beats: meaning(of_a(beats), of_b(beats), width) % (1 << width)

    def unary(self, width: int, depth: int) -> tuple[Node, Meaning]:
        a, of_a = self.make(width, depth)
        if self.rng.random() < 0.5:
            return self.builder.not_(a), lambda beats: ~of_a(beats) % (1 << width)
        count = self.builder.popcount(a)
        return self.builder.resize(count, width), lambda beats: of_a(beats).bit_count() % (1 << width)

    def select(self, width: int, depth: int) -> tuple[Node, Meaning]:
        c, of_c = self.make(1, depth)
        (a, of_a), (b, of_b) = self.make(width, depth), self.make(width, depth)
        return self.builder.select(c, a, b), lambda beats: of_a(beats) if of_c(beats) else of_b(beats)

    def turned(self, width: int, depth: int) -> tuple[Node, Meaning]:
        """A number or its negation."""
        (c, of_c), (a, of_a) = self.make(1, depth), self.make(width, depth)
        negation = self.builder.sub(self.builder.const(width, 0), a)
        sign = self.rng.choice([-1, 1])
        node = self.builder.select(c, *((negation, a) if sign < 0 else (a, negation)))
        return node, lambda beats: (sign if of_c(beats) else -sign) * of_a(beats) % (1 << width)

    def compare(self, width: int, depth: int) -> tuple[Node, Meaning]:
        of = self.rng.choice(WIDTHS)
        (a, of_a), (b, of_b) = self.make(of, depth), self.make(of, depth)
        name, meaning = self.rng.choice(COMPARE)
        node = self.builder.zext(getattr(self.builder, name)(a, b), width)
        return node, lambda beats: int(meaning(of_a(beats), of_b(beats), of))

    def wires(self, width: int, depth: int) -> tuple[Node, Meaning]:
        style = self.rng.randrange(4)
        if style == 0 and width > 1:
            low = self.rng.randrange(1, width)
            (a, of_a), (b, of_b) = self.make(low, depth), self.make(width - low, depth)
            return self.builder.concat((a, b)), lambda beats: of_a(beats) | of_b(beats) << low
        if style == 1 and width > 1:
            have = self.rng.randrange(1, width)
            a, of_a = self.make(have, depth)
            return self.builder.sext(a, width), lambda beats: signed(of_a(beats), have) % (1 << width)
        if style == 2:
            address, of_address = self.make(3, depth)
            node = self.builder.rom(TABLE, self.builder.and_(address, self.builder.const(3, 3)))
            return self.builder.resize(
                node, width
            ), lambda beats: TABLE.words[of_address(beats) & 3] % (1 << width)
        low = self.rng.randrange(4)
        a, of_a = self.make(width + low, depth)
        return self.builder.slice(a, low, width), lambda beats: (of_a(beats) >> low) % (1 << width)


BINARY: list[tuple[str, Callable[[int, int, int], int]]] = [
    ("and_", lambda a, b, _: a & b),
    ("or_", lambda a, b, _: a | b),
    ("xor", lambda a, b, _: a ^ b),
    ("add", lambda a, b, _: a + b),
    ("sub", lambda a, b, _: a - b),
    ("mul", lambda a, b, _: a * b),
    ("shl", lambda a, b, width: a << min(b, width)),
    ("lshr", lambda a, b, _: a >> b),
    ("ashr", lambda a, b, width: signed(a, width) >> b),
]
COMPARE: list[tuple[str, Callable[[int, int, int], bool]]] = [
    ("eq", lambda a, b, _: a == b),
    ("ult", lambda a, b, _: a < b),
    ("slt", lambda a, b, width: signed(a, width) < signed(b, width)),
]


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), width=st.sampled_from(WIDTHS), depth=st.integers(1, 5))
def test_every_rule_keeps_the_meaning(seed: int, width: int, depth: int) -> None:
    expressions = Expressions(seed)
    node, meaning = expressions.make(width, depth)
    graph = UnitGraph(
        (), (Output("m", width, expressions.builder.const(1, 1), node),), (), (), {"table": TABLE}
    )
    interpreter = Interpreter(graph)

    for _ in range(8):
        beats = {port: expressions.rng.getrandbits(have) for port, have in PORTS.items()}
        values = interpreter.evaluate(beats)

        assert values[node] == meaning(beats)
        for made, value in values.items():
            assert value & made.zeros == 0
            assert value & made.ones == made.ones
            low = signed(value & ((1 << made.signed_width) - 1), made.signed_width)
            assert low % (1 << made.width) == value


@pytest.fixture
def builder() -> Builder:
    return Builder()


def test_fields_side_by_side_need_no_logic(builder: Builder) -> None:
    a, b = builder.input("a", 4), builder.input("b", 4)
    shifted = builder.shl(builder.zext(b, 8), builder.const(8, 4))

    node = builder.or_(shifted, builder.zext(a, 8))

    assert (node.op, node.args) == (Op.CONCAT, (a, b))


def test_a_sum_takes_one_bit_more_than_its_arguments(builder: Builder) -> None:
    a, b = (builder.zext(builder.input(name, 5), 32) for name in "ab")

    total = builder.add(a, b)

    assert (total.op, total.args[0].op, total.args[0].width) == (Op.CONCAT, Op.ADD, 6)


def test_a_product_of_signed_numbers_takes_the_sum_of_their_widths(builder: Builder) -> None:
    a, b = (builder.sext(builder.input(name, 5), 32) for name in "ab")

    product = builder.mul(a, b)

    assert (product.op, product.args[0].op, product.args[0].width) == (Op.SEXT, Op.MUL, 10)


@pytest.mark.parametrize(
    "factor, ops",
    [(511, [Op.SUB]), (-1, [Op.SUB]), (-3, [Op.SUB]), (9, [Op.ADD]), (-5, [Op.SUB, Op.SUB]), (11, [Op.MUL])],
)
def test_a_product_with_two_powers_of_two_is_a_sum(builder: Builder, factor: int, ops: list[Op]) -> None:
    a = builder.input("a", 12)

    product = builder.mul(builder.sext(a, 24), builder.const(24, factor))

    assert [node.op for node in reachable([product]) if node.op in (Op.ADD, Op.SUB, Op.MUL)] == ops


def test_a_sign_needs_no_comparison(builder: Builder) -> None:
    a = builder.input("a", 9)

    node = builder.slt(a, builder.const(9, 0))

    assert (node.op, node.value, node.width) == (Op.SLICE, 8, 1)


def test_a_value_is_not_below_itself(builder: Builder) -> None:
    a = builder.input("a", 9)

    assert builder.ult(a, a) is builder.slt(a, a) is builder.const(1, 0)


def test_equal_computations_are_one_node(builder: Builder) -> None:
    a, b = builder.input("a", 9), builder.input("b", 9)

    assert builder.add(a, b) is builder.add(b, a)


def test_one_bit_per_index_is_one_select_per_bit(builder: Builder) -> None:
    index, beat, held = builder.input("i", 2), builder.input("x", 1), builder.input("h", 4)
    result = held
    for place in range(4):
        parts = [builder.bit(held, bit) if bit != place else beat for bit in range(4)]
        result = builder.select(builder.eq(index, builder.const(2, place)), builder.concat(parts), result)

    assert result.op is Op.CONCAT
    assert [part.op for part in result.args] == [Op.SELECT] * 4


@pytest.mark.parametrize("width", [2, 5, 8, 13])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_number_or_its_negation_is_one_sum(builder: Builder, width: int, is_first: bool) -> None:
    condition, number = builder.input("x1", 1), builder.input(f"x{width}", width)
    negation = builder.sub(builder.const(width, 0), number)
    sides = (negation, number) if is_first else (number, negation)
    chosen = builder.select(condition, *sides)

    ops = [node.op for node in reachable([chosen])]
    assert Op.SELECT not in ops and Op.SUB not in ops and ops.count(Op.ADD) == 1


def test_a_column_of_a_table_that_never_differs_is_a_constant(builder: Builder) -> None:
    word = builder.rom(Table("t", 4, (0b1000, 0b1010)), builder.input("a", 1))

    assert (word.zeros, word.ones) == (0b0101, 0b1000)


def test_a_slice_outside_of_the_value(builder: Builder) -> None:
    with pytest.raises(ValueError, match=r"^hlsc: bits 3\.\.6 of a value of 5 bits$"):
        builder.slice(builder.input("a", 5), 3, 4)


def test_a_sign_extension_goes_to_the_highest_part_however_often() -> None:
    builder = Builder()
    values = []
    for port in ("a", "b"):
        value = builder.input(port, 2)
        for width in range(4, 2000, 2):
            value = builder.sext(builder.concat([builder.input(f"{port}{width}", 1), value]), width)
        values.append(value)

    chosen = builder.select(builder.input("which", 1), *values)

    assert {part.op for part in values[0].args} == {Op.INPUT, Op.SEXT}
    assert chosen.signed_width == values[0].signed_width == values[0].width - 998


@pytest.mark.parametrize("method", [Builder.shl, Builder.lshr, Builder.ashr])
def test_two_shifts_are_one_by_the_sum_of_the_amounts(method: Callable[[Builder, Node, Node], Node]) -> None:
    builder = Builder()
    value, first, second = builder.input("a", 7), builder.input("b", 2), builder.input("c", 3)

    node = method(builder, method(builder, value, first), second)

    shifts = [one for one in reachable([node]) if one.op in (Op.SHL, Op.LSHR, Op.ASHR)]
    assert [one.args[0] for one in shifts] == [value]
    assert shifts[0].args[1].width == 4


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("is_concat", [False, True])
def test_a_comparison_with_copies_of_one_bit_is_no_comparison(width: int, is_concat: bool) -> None:
    builder = Builder()
    number, bit = builder.input("number", width), builder.input("bit", 1)
    copies = builder.concat([bit] * width) if is_concat else builder.sext(bit, width)
    one = builder.const(1, 1)
    nodes = {"below": builder.ult(number, copies), "above": builder.ult(copies, number)}
    outputs = tuple(Output(name, 1, one, node) for name, node in nodes.items())
    interpreter = Interpreter(UnitGraph((), outputs, (), (), {}, {}))

    for value in range(1 << width):
        for held in (0, 1):
            found = interpreter.evaluate({"number": value, "bit": held})
            filled = held * ((1 << width) - 1)
            assert (found[nodes["below"]], found[nodes["above"]]) == (value < filled, filled < value)
    assert all(node.op is not Op.ULT for node in reachable(nodes.values()))
