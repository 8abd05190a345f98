"""What the reference of a proof makes of LLVM's operations, evaluated as SystemVerilog, against Python."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator

import pyslang
import pytest

from thresher.hlsc_proof import meaning

WIDTHS = (1, 2, 3, 8, 13, 32, 65)
ROUNDS = 12

Operation = Callable[[int, int, int, int], int]
"""Of the width and three unsigned operands; the result counts modulo its width."""


def signed(width: int, value: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def toward_zero(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def of_signed(made: Callable[[int, int], int]) -> Operation:
    return lambda width, a, b, c: made(signed(width, a), signed(width, b))


def plain(made: Callable[[int, int], int]) -> Operation:
    return lambda width, a, b, c: made(a, b)


def text_of(width: int, value: int) -> str:
    return format(value, f"0{width}b")


def limited(low: int, high: int, value: int) -> int:
    return max(low, min(high, value))


ARITHMETIC = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}

BINARY: dict[str, Operation] = {
    **{name: plain(made) for name, made in ARITHMETIC.items()},
    "udiv": lambda width, a, b, c: a // (b or 1),
    "urem": lambda width, a, b, c: a % (b or 1),
    "sdiv": of_signed(lambda a, b: toward_zero(a, b or 1)),
    "srem": of_signed(lambda a, b: a - (b or 1) * toward_zero(a, b or 1)),
    "and": lambda width, a, b, c: a & b,
    "or": lambda width, a, b, c: a | b,
    "xor": lambda width, a, b, c: a ^ b,
    "shl": lambda width, a, b, c: a * 2 ** (b % width),
    "lshr": lambda width, a, b, c: a // 2 ** (b % width),
    "ashr": lambda width, a, b, c: signed(width, a) // 2 ** (b % width),
}
SHIFTS, DIVISIONS = ("shl", "lshr", "ashr"), ("udiv", "urem", "sdiv", "srem")

COMPARED: dict[str, Operation] = {
    "eq": lambda width, a, b, c: a == b,
    "ne": lambda width, a, b, c: a != b,
    **{
        f"{sign}{name}": (of_signed(made) if sign == "s" else plain(made))
        for sign in "us"
        for name, made in {
            **{"lt": operator.lt, "le": operator.le},
            **{"gt": operator.gt, "ge": operator.ge},
        }.items()
    },
}

INTRINSICS: dict[str, Operation] = {
    "ctpop": lambda width, a, b, c: text_of(width, a).count("1"),
    "cttz": lambda width, a, b, c: width - len(text_of(width, a).rstrip("0")),
    "ctlz": lambda width, a, b, c: width - len(text_of(width, a).lstrip("0")),
    "bitreverse": lambda width, a, b, c: int(text_of(width, a)[::-1], 2),
    "bswap": lambda width, a, b, c: int.from_bytes(a.to_bytes(width // 8, "little"), "big"),
    "fshl": lambda width, a, b, c: ((a << width | b) << c % width) >> width,
    "fshr": lambda width, a, b, c: (a << width | b) >> c % width,
    "umin": lambda width, a, b, c: min(a, b),
    "umax": lambda width, a, b, c: max(a, b),
    "smin": of_signed(min),
    "smax": of_signed(max),
    "abs": lambda width, a, b, c: abs(signed(width, a)),
}
OPERANDS = {"ctpop": 1, "bitreverse": 1, "bswap": 1, "fshl": 3, "fshr": 3}


class Evaluator:
    """Evaluates expressions of SystemVerilog over some variables, by pyslang."""

    def __init__(self, widths: dict[str, int], values: dict[str, int]) -> None:
        self._session = pyslang.ast.ScriptSession()
        for name, width in widths.items():
            self._session.eval(f"logic [{width - 1}:0] {name} = {width}'h{values.get(name, 0):x};")

    def assigned(self, name: str, expression: str) -> int:
        """What a variable is after an assignment."""
        self._session.eval(f"{name} = {expression};")
        value = self._session.eval(name).value
        assert isinstance(value, pyslang.SVInt)
        return int(value)


def operands(rng: random.Random, width: int) -> Iterator[tuple[int, int, int]]:
    """Ends of ranges, and others."""
    ends = [0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
    for _ in range(ROUNDS):
        a, b, c = (
            rng.choice(ends) % (1 << width) if rng.random() < 0.5 else rng.getrandbits(width)
            for _ in range(3)
        )
        yield a, b, c


@pytest.mark.parametrize("width", WIDTHS)
def test_every_operation_means_what_it_does_in_python(width: int) -> None:
    rng = random.Random(width)
    wrong = [
        (name, a, b, c)
        for a, b, c in operands(rng, width)
        for name, text, expected, size in cases(width, a, b, c)
        if evaluated(width, (a, b, c), text, size) != expected % (1 << size)
    ]

    assert wrong == []


def evaluated(width: int, values: tuple[int, int, int], text: str, size: int) -> int:
    widths = {"a": width, "b": width, "c": width, "exact": 2 * width + 1, "result": size}
    evaluator = Evaluator(widths, dict(zip("abc", values, strict=True)))
    if "|exact|" in text:
        first, text = text.split("|exact|")
        evaluator.assigned("exact", first)
    return evaluator.assigned("result", text)


def cases(width: int, a: int, b: int, c: int) -> Iterator[tuple[str, str, int, int]]:
    """The name, the expression, the result in Python and its width."""
    for name, made in BINARY.items():
        defined = (name not in SHIFTS or b < width) and (name not in DIVISIONS or b)
        overflows = name in ("sdiv", "srem") and (signed(width, a), signed(width, b)) == (
            -(1 << width - 1),
            -1,
        )
        if defined and not overflows:
            yield name, meaning.BINARY[name]("a", "b"), made(width, a, b, c), width
    for name, made in COMPARED.items():
        yield name, meaning.compared(name, "a", "b"), made(width, a, b, c), 1
    for name, made in INTRINSICS.items():
        if name != "bswap" or width % 16 == 0:
            arguments = ("a", "b", "c")[: OPERANDS.get(name, 2)]
            yield name, meaning.INTRINSICS[name](width, *arguments), made(width, a, b, c), width
    yield from exact_cases(width, a, b)
    yield "sext", meaning.extended("sext", width + 9, "a"), signed(width, a), width + 9
    yield "zext", meaning.extended("zext", width + 9, "a"), a, width + 9
    yield "trunc", meaning.extended("trunc", 1, "a"), a, 1
    if width > 1:
        yield "ucmp", meaning.three_way(False, 5, "a", "b"), (a > b) - (a < b), 5
        x, y = signed(width, a), signed(width, b)
        yield "scmp", meaning.three_way(True, 5, "a", "b"), (x > y) - (x < y), 5


def exact_cases(width: int, a: int, b: int) -> Iterator[tuple[str, str, int, int]]:
    """The intrinsics `.sat` and `.with.overflow`."""
    for name, (symbol, is_signed) in meaning.EXACT.items():
        x, y = (signed(width, a), signed(width, b)) if is_signed else (a, b)
        low, high = (-(1 << width - 1), (1 << width - 1) - 1) if is_signed else (0, (1 << width) - 1)
        value = ARITHMETIC[name[1:]](x, y)
        exact = meaning.exact(symbol, is_signed, width, "a", "b") + "|exact|"
        saturated = exact + meaning.saturated(is_signed, width, "exact")
        yield f"{name}.sat", saturated, limited(low, high, value), width
        yield (
            f"{name}.over",
            exact + meaning.overflows(is_signed, width, "exact"),
            not low <= value <= high,
            1,
        )
