"""LLVM's intrinsics from 1 bit on: the graph against what LLVM's own code generator makes of them."""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest

from thresher.hlsc.builder import Builder
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.intrinsics import intrinsic
from thresher.hlsc.ir import Node, Output, UnitGraph
from thresher_sim.toolchain import find_clang

WIDTHS = (*range(1, 36), 47, 48, 63, 64, 65, 66, 80, 96, 97, 112, 127, 128, 129, 130)
PAIRS = 24

NATIVE = 128
"""LLVM has no code for whether a wider product overflows, and for wider funnel shifts; Python has."""

ONE_RESULT = {
    **dict.fromkeys(("bitreverse", "bswap", "ctpop"), 1),
    **dict.fromkeys(("umin", "umax", "smin", "smax", "scmp", "ucmp"), 2),
    **dict.fromkeys(("uadd.sat", "sadd.sat", "usub.sat", "ssub.sat", "ushl.sat", "sshl.sat"), 2),
    **dict.fromkeys(("fshl", "fshr"), 3),
}
"""The number of arguments."""

FLAGGED = ("abs", "ctlz", "cttz")
"""With a flag beside the argument, which says what is poison."""

OVERFLOWING = tuple(f"{sign}{name}.with.overflow" for sign in "us" for name in ("add", "sub", "mul"))


@dataclass(frozen=True)
class Function:
    """An intrinsic at one width; `parts` are the widths of its results."""

    base: str
    width: int
    arguments: int
    parts: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the intrinsic."""
        types = f"i{self.parts[0]}.i{self.width}" if self.base in ("scmp", "ucmp") else f"i{self.width}"
        return f"llvm.{self.base}.{types}"

    @property
    def symbol(self) -> str:
        """The name of the function that calls it."""
        return f"{self.base}_{self.width}_{self.parts[0]}".replace(".", "_")

    def text(self) -> str:
        """LLVM IR that loads the arguments, calls, and stores the results."""
        kind = f"i{self.width}"
        loads = [f"  %a{index} = load {kind}, ptr %p{index}" for index in range(self.arguments)]
        arguments = [f"{kind} %a{index}" for index in range(self.arguments)]
        arguments += ["i1 false"] if self.base in FLAGGED else []
        parts = ", ".join(f"i{part}" for part in self.parts)
        result = f"{{ {parts} }}" if len(self.parts) > 1 else parts
        lines = [*loads, f"  %r = call {result} @{self.name}({', '.join(arguments)})"]
        for index, part in enumerate(self.parts):
            value = f"%x{index}" if len(self.parts) > 1 else "%r"
            lines += [f"  {value} = extractvalue {result} %r, {index}"] if len(self.parts) > 1 else []
            lines.append(f"  store i{part} {value}, ptr %r{index}")
        pointers = [f"ptr %p{index}" for index in range(3)] + ["ptr %r0", "ptr %r1"]
        types = ", ".join(argument.split()[0] for argument in arguments)
        return (
            f"declare {result} @{self.name}({types})\n"
            f"define void @{self.symbol}({', '.join(pointers)}) {{\n" + "\n".join([*lines, "  ret void", "}"])
        )


def functions() -> Iterator[Function]:
    for width in WIDTHS:
        for base, arguments in ONE_RESULT.items():
            if base in ("scmp", "ucmp"):
                yield from (Function(base, width, arguments, (part,)) for part in (2, 8, 33))
            elif base.startswith("fsh") and width > NATIVE:
                continue
            elif base != "bswap" or width % 16 == 0:
                yield Function(base, width, arguments, (width,))
        for base in FLAGGED:
            yield Function(base, width, 1, (width,))
        for base in OVERFLOWING:
            if "mul" in base and width > NATIVE:
                continue
            yield Function(base, width, 2, (width, 1))


FUNCTIONS = tuple(functions())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("intrinsics")
    source, shared = folder / "intrinsics.ll", folder / "intrinsics.so"
    source.write_text("\n".join(function.text() for function in FUNCTIONS))
    command = [*find_clang(), "-O1", "-w", "-shared", "-fPIC", str(source), "-o", str(shared)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(shared))


def arguments(rng: random.Random, function: Function) -> list[tuple[int, ...]]:
    """Some of the pairs of the ends of both ranges, and others."""
    mask = (1 << function.width) - 1
    ends = {
        end & mask for middle in (0, mask // 2, mask) for end in (middle - 1, middle, middle + 1, middle + 2)
    }
    pairs = list(product(sorted(ends), repeat=function.arguments))
    chosen = rng.sample(pairs, min(PAIRS, len(pairs)))
    chosen += [
        tuple(rng.getrandbits(function.width) for _ in range(function.arguments)) for _ in range(PAIRS // 3)
    ]
    if "shl.sat" in function.base:
        return [(value, amount % function.width) for value, amount in chosen]
    return chosen


def native(call: Callable[..., None], function: Function, values: Sequence[int]) -> tuple[int, ...]:
    size = 64
    given = [ctypes.create_string_buffer(value.to_bytes(size, "little")) for value in values]
    given += [ctypes.create_string_buffer(size)] * (3 - len(given))
    results = [ctypes.create_string_buffer(size) for _ in range(2)]
    call(*given, *results)
    return tuple(
        int.from_bytes(result.raw, "little") for result, _ in zip(results, function.parts, strict=False)
    )


def graph(function: Function) -> tuple[Interpreter, list[Node]]:
    builder = Builder()
    nodes = [builder.input(f"a{index}", function.width) for index in range(function.arguments)]
    given = [*nodes, builder.const(1, 0)] if function.base in FLAGGED else nodes
    made = intrinsic(builder, function.name, given, function.parts[0])
    assert made is not None
    results = list(made) if isinstance(made, tuple) else [made]
    assert tuple(node.width for node in results) == function.parts
    outputs = tuple(
        Output(f"r{index}", node.width, builder.const(1, 1), node) for index, node in enumerate(results)
    )
    return Interpreter(UnitGraph((), outputs, (), (), {})), results


def test_every_intrinsic_computes_what_llvm_computes(library: ctypes.CDLL) -> None:
    rng = random.Random(5)
    wrong = []
    for function in FUNCTIONS:
        interpreter, results = graph(function)
        call = getattr(library, function.symbol)
        for values in arguments(rng, function):
            found = interpreter.evaluate({f"a{index}": value for index, value in enumerate(values)})
            if tuple(found[node] for node in results) != native(call, function, values):
                wrong.append((function.symbol, values))

    assert wrong == []


@pytest.mark.parametrize("width", [129, 130, 300])
@pytest.mark.parametrize("signed", [False, True])
def test_wide_products_overflow_as_in_python(width: int, signed: bool) -> None:
    function = Function(f"{'su'[not signed]}mul.with.overflow", width, 2, (width, 1))
    interpreter, results = graph(function)
    lowest, mask = (1 << width - 1 if signed else 0), (1 << width) - 1
    for a, b in arguments(random.Random(width), function):
        exact = ((a ^ lowest) - lowest) * ((b ^ lowest) - lowest)
        expected = exact & mask, int(not -lowest <= exact <= mask - lowest)
        found = interpreter.evaluate({"a0": a, "a1": b})
        assert tuple(found[node] for node in results) == expected, (a, b)


@pytest.mark.parametrize("width", [129, 130, 300])
@pytest.mark.parametrize("left", [False, True])
def test_wide_funnel_shifts_are_those_of_python(width: int, left: bool) -> None:
    function = Function("fshl" if left else "fshr", width, 3, (width,))
    interpreter, results = graph(function)
    for high, low, amount in arguments(random.Random(width), function):
        both, by = high << width | low, amount % width
        expected = (both << by >> width if left else both >> by) & (1 << width) - 1
        found = interpreter.evaluate({"a0": high, "a1": low, "a2": amount})
        assert found[results[0]] == expected, (high, low, amount)
