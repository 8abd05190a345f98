"""Random C++ expressions over exactly sized integers, without what C++ leaves undefined but signed overflow.

Signed sums, differences, products and negatives overflow, or are made wide enough and then cut: hlsc and the
C simulation ask clang for arithmetic that wraps. Shift amounts are below the width, indices are below the
size, and divisors are constants other than 0; no quotient overflows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

USUAL_WIDTHS = (1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 23, 31, 32, 33, 49, 63, 64, 65, 70, 100)
MAX_WIDTH = 300


@dataclass(frozen=True)
class Type:
    """`uint<width>` or `sint<width>`."""

    width: int
    signed: bool = False

    def __str__(self) -> str:
        return f"{'sint' if self.signed else 'uint'}<{self.width}>"


@dataclass(frozen=True)
class Value:
    """A C++ expression of a known type."""

    text: str
    type: Type


@dataclass(frozen=True)
class Array:
    """Elements of one type; `pattern` has `{}` where each index goes.

    `cursor` is a variable that is one more than an index into the last dimension, if there is one.
    `element` is the C++ type of an array of one dimension that pointers search.
    """

    pattern: str
    sizes: tuple[int, ...]
    type: Type
    cursor: str = ""
    element: str = ""


@dataclass(frozen=True)
class Table:
    """A constant that `rom_read` reads."""

    name: str
    width: int
    depth: int


class Expressions:
    """Makes expressions of what is in scope: `values`, `arrays` and `tables`.

    Portable ones are C++14 without clang's builtins, so that g++ takes them with AMD's types.
    """

    def __init__(self, rng: random.Random, portable: bool = False) -> None:
        self.rng = rng
        self.operations = _PORTABLE if portable else _OPERATIONS
        # AMD's simulation orders numbers of different signs wrongly: see `test_integer`.
        self.comparisons = ["==", "!="] if portable else ["<", "<=", ">", ">=", "==", "!="]
        self.values: list[Value] = []
        self.arrays: list[Array] = []
        self.tables: list[Table] = []

    def type(self, signed: bool | None = None) -> Type:
        """A random type; one in eight is of any width."""
        rare = self.rng.random() < 0.12
        width = self.rng.randint(1, MAX_WIDTH) if rare else self.rng.choice(USUAL_WIDTHS)
        is_signed = self.rng.random() < 0.4 if signed is None else signed
        return Type(max(width, 2), True) if is_signed else Type(width)

    def number(self, kind: Type) -> str:
        """A constant: small, or any, built from 32-bit pieces because literals end at 64 bits."""
        if self.rng.random() < 0.5:
            return f"({kind}){self.rng.randint(0, min(3, (1 << kind.width - 1) - 1))}"
        return literal(kind, self.rng.getrandbits(kind.width))

    def condition(self) -> str:
        """A comparison."""
        if self.rng.random() < 0.2:
            return self.overflow_compared()
        kind = self.type()
        a, b = self.expression(kind, 2), self.expression(kind, 1)
        return f"{a} {self.rng.choice(['<', '<=', '>', '>=', '==', '!='])} {b}"

    def expression(self, kind: Type, depth: int) -> str:
        """An expression of exactly this type, in parentheses or atomic."""
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        return f"({kind})({self.rng.choice(self.operations)(self, kind, depth - 1)})"

    def leaf(self, kind: Type) -> str:
        """A number, a variable, or an element of an array."""
        choice = self.rng.random()
        if choice < 0.2 or not self.values:
            return self.number(kind)
        if choice < 0.4 and self.arrays:
            return f"({kind}){self.element(self.rng.choice(self.arrays))}"
        return f"({kind}){self.rng.choice(self.values).text}"

    def element(self, array: Array) -> str:
        """An element of an array, at constant and variable indices."""
        indices = [self.index(size) for size in array.sizes]
        if array.cursor and self.rng.random() < 0.4:
            indices[-1] = f"{array.cursor} - 1"
        return array.pattern.format(*indices)

    def index(self, size: int, variable: float = 0.6) -> str:
        """A number below `size`."""
        if not self.values or self.rng.random() >= variable:
            return str(self.rng.randrange(size))
        if size & (size - 1):
            return f"(std::uint32_t)((uint<16>){self.scalar()} % (uint<16>){size})"
        return f"(std::uint32_t)(uint<{max(size.bit_length() - 1, 1)}>){self.scalar()}" if size > 1 else "0"

    def scalar(self) -> str:
        """A variable, or the sum of two."""
        if self.rng.random() < 0.5:
            return self.rng.choice(self.values).text
        a, b = (self.rng.choice(self.values).text for _ in range(2))
        return f"((uint<32>){a} + (uint<32>){b})"

    # What an expression may be

    def arithmetic(self, kind: Type, depth: int) -> str:
        operator = self.rng.choice("+-*&|^" if kind.width <= 100 else "+-&|^")
        wide = Type(2 * kind.width + 1, True) if kind.signed else kind
        a, b = self.expression(kind, depth), self.expression(kind, depth)
        return f"({wide}){a} {operator} ({wide}){b}"

    def overflowed(self, kind: Type, depth: int) -> str:
        """A signed sum, difference, product or negative, as wide as its operands."""
        signed = (
            kind
            if kind.signed and kind.width <= 100
            else Type(self.rng.choice([2, 3, 5, 8, 16, 32, 33]), True)
        )
        a, b = self.expression(signed, depth), self.expression(signed, depth)
        return self.rng.choice([f"{a} + {b}", f"{a} - {b}", f"{a} * {b}", f"-{a}"])

    def overflow_compared(self) -> str:
        """A comparison that compilers decide or turn round where signed arithmetic must not overflow."""
        kind = Type(self.rng.choice([2, 3, 4, 5, 7, 8, 12, 16, 31, 32, 64, 65]), True)
        a, b, zero = self.leaf(kind), self.rng.choice([self.leaf, self.number])(kind), f"({kind})0"
        operator = self.rng.choice(["<", "<=", ">", ">="])
        total = self.rng.choice([f"{a} + {b}", f"{a} - {b}", f"{a} * {self.number(kind)}", f"-{a}"])
        return f"({kind})({total}) {operator} {self.rng.choice([zero, zero, a, b, self.number(kind)])}"

    def mixed(self, kind: Type, depth: int) -> str:
        """An operator on two types, without a cast: the result is as wide as it must be."""
        a, b = self.natural(depth), self.natural(depth)
        operator = self.rng.choice(["+", "-", "*", "&", "|", "^", "+", "-"])
        return f"{a} {operator} {b}" if self.rng.random() < 0.8 else f"-{a} {operator} ~{b}"

    def mixed_compared(self, kind: Type, depth: int) -> str:
        """A comparison of two types."""
        return f"{self.natural(depth)} {self.rng.choice(self.comparisons)} {self.natural(depth)}"

    def natural(self, depth: int) -> str:
        """An operand of any type, of at most 100 bits."""
        kind = self.type()
        return self.expression(Type(min(kind.width, 100), kind.signed), depth)

    def beside_native(self, kind: Type, depth: int) -> str:
        """An operator on an integer and one of C++'s own."""
        name, word = self.standard()
        pair = [self.natural(depth), f"({name}){self.expression(word, 0)}"]
        self.rng.shuffle(pair)
        return f" {self.rng.choice(['+', '-', '*', '&', *self.comparisons])} ".join(pair)

    def shifted_far(self, kind: Type, depth: int) -> str:
        """A shift by any number: beyond the width nothing is left, and a negative one goes the other way."""
        amount = Type(self.rng.choice([2, 4, 8]), self.rng.random() < 0.6)
        text = self.expression(amount, 0)
        if self.rng.random() < 0.4:
            text = f"(int){text}"
        return f"{self.expression(kind, depth)} {self.rng.choice(['<<', '>>'])} {text}"

    def shift(self, kind: Type, depth: int) -> str:
        operator, value = self.rng.choice(["<<", ">>"]), self.expression(kind, depth)
        if self.rng.random() < 0.5:
            return f"{value} {operator} {self.rng.randrange(kind.width)}"
        bits = max(kind.width.bit_length() - 1, 1) if kind.width > 1 else 0
        amount = f"(int)({self.expression(Type(bits), depth)})" if bits else "0"
        return f"{value} {operator} {amount}"

    def rotated(self, kind: Type, depth: int) -> str:
        word = Type(max(kind.width, 2))
        value = self.expression(word, 0)
        amount = self.index(word.width)
        return f"({value} << ({amount})) | ({value} >> (({word.width} - ({amount})) % {word.width}))"

    def resized(self, kind: Type, depth: int) -> str:
        return self.expression(self.type(), depth)

    def chosen(self, kind: Type, depth: int) -> str:
        return f"{self.condition()} ? {self.expression(kind, depth)} : {self.expression(kind, depth)}"

    def smaller(self, kind: Type, depth: int) -> str:
        a, b = self.leaf(kind), self.leaf(kind)
        return f"{a} {self.rng.choice('<>')} {b} ? {a} : {b}"

    def clamped(self, kind: Type, depth: int) -> str:
        """A sum that stays at the largest and smallest value."""
        signed = Type(max(kind.width, 2), True)
        wide = Type(signed.width + 1, True)
        a, b = self.leaf(signed), self.leaf(signed)
        total = f"({wide})({a} {self.rng.choice('+-')} {b})"
        most = f"({wide}){literal(signed, (1 << signed.width - 1) - 1)}"
        least = f"({wide})(-{most} - 1)"
        return f"({total}) > {most} ? {most} : ({total}) < {least} ? {least} : ({total})"

    def carry(self, kind: Type, depth: int) -> str:
        word = self.type(False)
        a, b = self.leaf(word), self.leaf(word)
        if self.rng.random() < 0.5:
            return f"({word})({a} + {b}) < {a}"
        return f"{a} < {b} ? ({word})0 : ({word})({a} - {b})"

    def compared(self, kind: Type, depth: int) -> str:
        return self.condition()

    def logical(self, kind: Type, depth: int) -> str:
        return f"({self.condition()}) {self.rng.choice(['&&', '||'])} !({self.condition()})"

    def counted(self, kind: Type, depth: int) -> str:
        other = self.type(False)
        text = self.expression(other, depth)
        name = self.rng.choice(["popcount", "popcount", "popcount", "trailing_zeros", "leading_zeros"])
        return f"{name}<{other.width}>({text})"

    def inverted(self, kind: Type, depth: int) -> str:
        if self.rng.random() < 0.3:
            return f"-{self.expression(kind, depth)}"
        return f"~{self.expression(kind, depth)}"

    def divided(self, kind: Type, depth: int) -> str:
        largest = (1 << kind.width - 1) - 1 if kind.signed else (1 << kind.width) - 1
        divisor = self.rng.randint(1, min(100, largest))
        if self.rng.random() < 0.2:
            divisor = self.rng.randint(1, largest)
        sign = "-" if kind.signed and divisor > 1 and self.rng.random() < 0.3 else ""
        value = literal(kind, divisor) if divisor > 100 else f"({kind}){divisor}"
        return f"{self.expression(kind, depth)} {self.rng.choice('/%')} {sign}{value}"

    def field(self, kind: Type, depth: int) -> str:
        word = self.type(False)
        width = self.rng.randint(1, word.width)
        low = self.rng.randint(0, word.width - width)
        text = self.expression(word, depth)
        if self.rng.random() < 0.5:
            return f"bits_at<{width}, {word.width}>({text}, {low})"
        ones = f"({word})(({word})(~({word})0 >> {word.width - width}) << {low})"
        hole = f"({word})({text} & ~{ones})"
        return f"with_bits<{width}, {word.width}>({hole}, {low}, {self.expression(Type(width), depth)})"

    def bits_of(self) -> str:
        """A bit, a range or a concatenation of variables, as an integer."""
        kinds = [Type(kind.width, kind.signed) for kind in (self.type(), self.type())]
        (a, b), width = (self.leaf(kind) for kind in kinds), kinds[0].width
        high, low = self.range(width)
        part = f"({a})({high}, {low})"
        return self.rng.choice(
            [
                f"(uint<1>)({a})[(int)({self.index(width)})]",
                f"(uint<{width}>){part}",
                f"(uint<{width}>)({a}).range({high}, {low})",
                f"(uint<{width + kinds[1].width}>)({a}, {b})",
                f"(uint<{width + kinds[1].width}>)({part}, {b})",
                f"(uint<{kinds[1].width + width + 1}>)({b}, {part}, ({a})[{low}])",
                f"(uint<1>)(uint<{width}>({a})).{self.rng.choice(['and', 'or', 'xor'])}_reduce()",
            ]
        )

    def range(self, width: int) -> tuple[str, str]:
        """The highest and the lowest bit of a range, of constants or of variables."""
        low = self.rng.randrange(width)
        high = self.rng.randrange(low, width)
        if self.rng.random() < 0.5:
            return str(high), str(low)
        begin = f"(int)({self.index(width - (high - low))})"
        return f"{begin} + {high - low}", begin

    # What clang makes calls and intrinsics of

    def three_way(self, kind: Type, depth: int) -> str:
        """-1, 0 or 1, written out, or as `<=>` gives it."""
        other = self.type()
        a, b = self.leaf(other), self.leaf(other)
        written = self.rng.choice(["{0} < {1} ? -1 : {0} > {1}", "{0} > {1} ? 1 : -({0} < {1})"])
        return written.format(f"({a})", f"({b})")

    def standard(self, signed: bool | None = None) -> tuple[str, Type]:
        """A type of `<cstdint>`, and the type of this width."""
        width = self.rng.choice([8, 16, 32, 64])
        is_signed = self.rng.random() < 0.5 if signed is None else signed
        return f"std::{'' if is_signed else 'u'}int{width}_t", Type(width, is_signed)

    def sized(self) -> tuple[str, Type]:
        """A type that the overflow builtins take: of `<cstdint>`, or of any width."""
        if self.rng.random() < 0.6:
            return self.standard()
        kind = self.type()
        kind = Type(min(kind.width, 64), kind.signed)
        return f"{'' if kind.signed else 'unsigned '}_BitInt({kind.width})", kind

    def overflow_told(self, kind: Type, depth: int) -> str:
        """The builtins of overflow, on types that may all differ."""
        if self.rng.random() < 0.2:
            name, word = self.standard()
            a, b = (f"({name}){self.expression(word, 1)}" for _ in range(2))
            return f"sum_or<{name}>({a}, {b}, {self.condition()})"
        result, _ = self.sized()
        same = self.sized()
        types = [same, same] if self.rng.random() < 0.5 else [self.sized(), self.sized()]
        a, b = (f"({name}){self.expression(word, 1)}" for name, word in types)
        return f"{self.rng.choice(['sum', 'difference', 'product'])}<{result}>({a}, {b})"

    def saturated(self, kind: Type, depth: int) -> str:
        name, word = self.standard()
        a, b = (f"({name}){self.expression(word, 1)}" for _ in range(2))
        return f"__builtin_elementwise_{self.rng.choice(['add', 'sub'])}_sat({a}, {b})"

    def bits_moved(self, kind: Type, depth: int) -> str:
        """Bits or bytes in the other order, or rotated by a variable."""
        name, word = self.standard(signed=False)
        text = f"({name}){self.expression(word, depth)}"
        if self.rng.random() < 0.4:
            amount = f"(int){self.expression(Type(self.rng.choice([3, 6, 9])), 0)}"
            return f"std::{self.rng.choice(['rotl', 'rotr'])}<{name}>({text}, {amount})"
        if word.width > 8 and self.rng.random() < 0.5:
            return f"__builtin_bswap{word.width}({text})"
        return f"__builtin_bitreverse{word.width}({text})"

    def magnitude(self, kind: Type, depth: int) -> str:
        signed = self.type(True)
        value = self.leaf(signed)
        return f"({value}) < ({signed})0 ? ({signed})(-({value})) : ({value})"

    def bytes_compared(self, kind: Type, depth: int) -> str:
        """Two short lists of bytes, most of them equal."""
        size = self.rng.choice([1, 2, 3, 4, 5, 7, 8, 9, 16, 19])
        shared = [self.byte_text() for _ in range(size)]
        lists = [
            ", ".join(text if self.rng.random() < 0.8 else self.byte_text() for text in shared)
            for _ in range(2)
        ]
        a, b = (f"Bytes<{size}>{{{{{values}}}}}" for values in lists)
        if self.rng.random() < 0.3:
            return f"place_of({a}, {self.byte_text()})"
        return f"{self.rng.choice(['order', 'equal'])}({a}, {b})"

    def byte_text(self) -> str:
        return f"(std::uint8_t){self.leaf(Type(8))}"

    def searched(self, kind: Type, depth: int) -> str:
        """The place of an element of an array of one dimension, found by a pointer."""
        arrays = [array for array in self.arrays if array.element]
        if not arrays:
            return self.leaf(kind)
        array = self.rng.choice(arrays)
        first = array.pattern.removesuffix("[{}]")
        ends = f"{first}, {first} + {array.sizes[0]}"
        if self.rng.random() < 0.5:
            return f"largest<{array.element}>({ends}) - {first}"
        wanted = f"({array.element}){self.leaf(array.type)}"
        return f"found<{array.element}>({ends}, {wanted}) - {first}"

    def looked_up(self, kind: Type, depth: int) -> str:
        if not self.tables:
            return self.leaf(kind)
        table = self.rng.choice(self.tables)
        return f"rom_read<{table.width}>({table.name}, {self.index(table.depth, 0.95)})"


_OPERATIONS: list[Callable[[Expressions, Type, int], str]] = [
    Expressions.arithmetic,
    Expressions.arithmetic,
    Expressions.arithmetic,
    Expressions.arithmetic,
    Expressions.overflowed,
    Expressions.overflowed,
    Expressions.mixed,
    Expressions.mixed,
    Expressions.mixed_compared,
    Expressions.beside_native,
    Expressions.shift,
    Expressions.shift,
    Expressions.shifted_far,
    Expressions.rotated,
    Expressions.resized,
    Expressions.resized,
    Expressions.chosen,
    Expressions.smaller,
    Expressions.clamped,
    Expressions.carry,
    Expressions.compared,
    Expressions.logical,
    Expressions.counted,
    Expressions.inverted,
    Expressions.divided,
    Expressions.field,
    Expressions.looked_up,
    Expressions.three_way,
    Expressions.overflow_told,
    Expressions.saturated,
    Expressions.bits_moved,
    Expressions.magnitude,
    Expressions.bytes_compared,
    Expressions.searched,
]


_OF_CLANG = frozenset(
    {
        Expressions.overflow_told,
        Expressions.saturated,
        Expressions.bits_moved,
        Expressions.bytes_compared,
        Expressions.searched,
    }
)
_PORTABLE = [operation for operation in _OPERATIONS if operation not in _OF_CLANG]


def literal(kind: Type, value: int) -> str:
    """The low bits of a number of any size."""
    word = Type(kind.width)
    text = f"({word})0"
    for low in range(0, kind.width, 32):
        piece = value >> low & 0xFFFFFFFF
        text = f"({text} | ({word})(({word}){piece}u << {low}))"
    return f"({kind})({text})"
