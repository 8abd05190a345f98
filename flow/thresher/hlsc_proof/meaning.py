"""LLVM's integer instructions and intrinsics as expressions of SystemVerilog, by the language reference.

Operands are names of variables, each as wide as LLVM says; the result is assigned to a variable of
the result's width. Poison may be anything.
"""

from __future__ import annotations

from collections.abc import Callable

Expression = Callable[..., str]


def _infix(operator: str) -> Expression:
    return lambda a, b: f"{a} {operator} {b}"


def _signed(operator: str) -> Expression:
    return lambda a, b: f"$signed({a}) {operator} $signed({b})"


BINARY: dict[str, Expression] = {
    "add": _infix("+"),
    "sub": _infix("-"),
    "mul": _infix("*"),
    "udiv": _infix("/"),
    "urem": _infix("%"),
    "sdiv": _signed("/"),
    "srem": _signed("%"),
    "and": _infix("&"),
    "or": _infix("|"),
    "xor": _infix("^"),
    "shl": _infix("<<"),
    "lshr": _infix(">>"),
    "ashr": lambda a, b: f"$signed({a}) >>> {b}",
}
"""By the opcode; operands and result are of one width."""

DIVISIONS = frozenset(("udiv", "urem", "sdiv", "srem"))


def undefined_division(opcode: str, width: int, a: str, b: str) -> str:
    """Whether a division has no meaning: by zero, or of the lowest number by -1."""
    by_zero = f"{b} == {width}'d0"
    if opcode[0] == "u":
        return by_zero
    return f"({by_zero}) | (({a} == {width}'h{1 << width - 1:x}) & (&{b}))"


_ORDERS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_PREDICATES: dict[str, Expression] = {
    "eq": _infix("=="),
    "ne": _infix("!="),
    **{f"u{name}": _infix(operator) for name, operator in _ORDERS.items()},
    **{f"s{name}": _signed(operator) for name, operator in _ORDERS.items()},
}


def compared(predicate: str, a: str, b: str) -> str:
    """The result of `icmp`."""
    return _PREDICATES[predicate](a, b)


def extended(opcode: str, width: int, a: str) -> str:
    """The result of `zext`, `sext` or `trunc` to `width` bits."""
    return f"{width}'($signed({a}))" if opcode == "sext" else f"{width}'({a})"


def _count_ones(width: int, a: str) -> str:
    return _summed(width, a, 0, width)


def _summed(width: int, a: str, low: int, high: int) -> str:
    """The ones of `a[high-1:low]`; by halves, as tools do not read deep expressions."""
    if high - low == 1:
        return f"{width}'({a}[{low}])"
    middle = (low + high) // 2
    return f"({_summed(width, a, low, middle)} + {_summed(width, a, middle, high)})"


def _zeros(width: int, a: str, low: int, high: int, is_above: bool) -> str:
    """The zeros of `a` below the lowest one of `a[high-1:low]`, or above its highest; `width` without one."""
    if high - low == 1:
        return f"({a}[{low}] ? {width}'d{width - 1 - low if is_above else low} : {width}'d{width})"
    middle = (low + high) // 2
    below, above = (_zeros(width, a, *part, is_above) for part in ((low, middle), (middle, high)))
    if is_above:
        return f"((|{a}[{high - 1}:{middle}]) ? {above} : {below})"
    return f"((|{a}[{middle - 1}:{low}]) ? {below} : {above})"


def swapped(width: int, a: str, size: int) -> str:
    """Groups of `size` bits in the opposite order."""
    return "{" + ", ".join(f"{a}[{low + size - 1}:{low}]" for low in range(0, width, size)) + "}"


def _funnel(width: int, a: str, b: str, amount: str, left: bool) -> str:
    double = 2 * width
    by = f"{double}'({amount} % {width}'d{width})" if width > 1 else f"{double}'d0"
    shifted = f"{double}'({{{a}, {b}}}) {'<<' if left else '>>'} ({by})"
    return f"{width}'(({shifted}) >> {width})" if left else f"{width}'({shifted})"


def _chosen(predicate: str) -> Callable[[int, str, str], str]:
    return lambda _, a, b: f"({compared(predicate, a, b)}) ? {a} : {b}"


def exact(operator: str, is_signed: bool, width: int, a: str, b: str) -> str:
    """A sum, difference or product with so many bits that nothing is lost, the sign included."""
    wide = 2 * width + 1
    if is_signed:
        return f"{wide}'($signed({a})) {operator} {wide}'($signed({b}))"
    return f"{wide}'({a}) {operator} {wide}'({b})"


def overflows(is_signed: bool, width: int, value: str) -> str:
    """Whether an exact result, of `exact`'s width, is none of `width` bits."""
    if is_signed:
        return f"{value} != {2 * width + 1}'($signed({value}[{width - 1}:0]))"
    return f"{value} != {2 * width + 1}'({value}[{width - 1}:0])"


def saturated(is_signed: bool, width: int, value: str) -> str:
    """The nearest number of `width` bits to an exact result."""
    negative = f"{value}[{2 * width}]"
    lowest = f"{width}'h{1 << width - 1 if is_signed else 0:x}"
    highest = f"{width}'h{(1 << width - 1) - 1 if is_signed else (1 << width) - 1:x}"
    limit = f"({negative} ? {lowest} : {highest})"
    return f"({overflows(is_signed, width, value)}) ? {limit} : {value}[{width - 1}:0]"


INTRINSICS: dict[str, Callable[..., str]] = {
    "ctpop": _count_ones,
    "cttz": lambda width, a, _: _zeros(width, a, 0, width, False),
    "ctlz": lambda width, a, _: _zeros(width, a, 0, width, True),
    "bitreverse": lambda width, a: swapped(width, a, 1),
    "bswap": lambda width, a: swapped(width, a, 8),
    "fshl": lambda width, a, b, amount: _funnel(width, a, b, amount, True),
    "fshr": lambda width, a, b, amount: _funnel(width, a, b, amount, False),
    "umin": _chosen("ult"),
    "umax": _chosen("ugt"),
    "smin": _chosen("slt"),
    "smax": _chosen("sgt"),
    "abs": lambda width, a, _: f"{a}[{width - 1}] ? -{a} : {a}",
}
"""By the name without `llvm.` and type; the first argument is the width of operands and result."""

EXACT = {
    f"{sign}{name}": (operator, sign == "s")
    for sign in "us"
    for name, operator in (("add", "+"), ("sub", "-"), ("mul", "*"))
}
"""The operator, and whether it is signed, of the intrinsics `.with.overflow` and `.sat`."""


def three_way(is_signed: bool, width: int, a: str, b: str) -> str:
    """`scmp` and `ucmp`: -1, 0 or 1."""
    below = compared("slt" if is_signed else "ult", a, b)
    return f"({a} == {b}) ? {width}'d0 : ({below}) ? {width}'h{(1 << width) - 1:x} : {width}'d1"
