"""A unit's LLVM IR as LLVM itself reads it, by llvmlite: nothing of hlsc's own reader is used.

What must be known of constants and of the unit's state after reset comes from machine code: LLVM
compiles the module for this machine, constants are read where they lie, and the constructor is run.
"""

from __future__ import annotations

import ctypes
import re
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from thresher.errors import MissingToolError, UnsupportedModelError
from thresher.hlsc_proof.checked import MISTAKE

Value = Any
"""One of llvmlite's values, functions, blocks or types; the package has no types."""

_OF_TARGET = re.compile(r'^target .*$| ?"(?:target-cpu|target-features|tune-cpu)"="[^"]*"', re.MULTILINE)
_TYPE_LINE = re.compile(r"^%.* = type .*$", re.MULTILINE)
_ALIGNMENT = 64
# What machine code may call: these are there in every process.
_KNOWN = frozenset({"memcpy", "memmove", "memset", "memcmp", "bcmp"})


class UntranslatedError(UnsupportedModelError):
    """A unit has something that hlsc takes and that the reference of a proof cannot translate."""

    def __init__(self, unit: str, what: str) -> None:
        super().__init__(
            f"proof: unit '{unit}': the reference cannot translate {what}; leave --prove out, and hold the "
            "unit to its C++ with --sim"
        )


def _rom(table: int, width: int, _depth: int, _style: int, address: int, word: int) -> None:
    """`thresher_rom`, which a constructor may call: the word at an address of a table."""
    stride = -(-width // 64) * 8
    ctypes.memmove(word, table + address * stride, object_bytes(width))


def _nothing(*_: int) -> None:
    """A stream of the unit: no constructor knows what it holds."""


_CALLED_ROM = ctypes.CFUNCTYPE(
    None,
    *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p),
)(_rom)
_CALLED_NOTHING = ctypes.CFUNCTYPE(None)(_nothing)

_FILLS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int] * 4, ctypes.c_void_p)
_WRITES = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int] * 2, ctypes.c_uint32, ctypes.c_void_p)


class _Contents(dict[int, list[int]]):
    """What a constructor writes into memories, by their bytes in the unit."""

    def __init__(self) -> None:
        super().__init__()
        self._unit = 0
        self.called = {"thresher_ram_initial": _FILLS(self._fill), "thresher_ram_write": _WRITES(self._write)}

    def begin(self, unit: int) -> None:
        """Begin anew, for a unit at an address."""
        self.clear()
        self._unit = unit

    def _fill(self, ram: int, width: int, depth: int, size: int, signed: int, table: int) -> None:
        """A memory is made from a table of numbers of so many bytes."""
        numbers = (ctypes.string_at(table + size * address, size) for address in range(depth))
        self[ram - self._unit] = [
            int.from_bytes(number, "little", signed=bool(signed)) % (1 << width) for number in numbers
        ]

    def _write(self, ram: int, width: int, depth: int, address: int, word: int) -> None:
        """A word is written."""
        number = int.from_bytes(ctypes.string_at(word, object_bytes(width)), "little")
        self.setdefault(ram - self._unit, [0] * depth)[address] = number % (1 << width)


def object_bytes(width: int) -> int:
    """The size of an `unsigned _BitInt(width)` in memory."""
    return next((size for size in (1, 2, 4, 8) if width <= 8 * size), -(-width // 64) * 8)


@dataclass(frozen=True)
class InitialBits:
    """The bits that the constructor gives a value, `known`, and that value; 0 elsewhere."""

    known: int
    value: int


@dataclass
class LlvmModule:
    """The module of a unit; `unit` is its name for messages. Its functions and types live as long as it.

    LLVM's objects are freed in the reverse of the order in which they were made, and not by Python's
    garbage collector: in a cycle, that one frees a context before the modules in it, which ends the process.

    Raises:
        MissingToolError: llvmlite is not installed.
        UntranslatedError: what is asked for has no translation.
    """

    unit: str
    text: str
    _parsed: dict[str, Value] = field(default_factory=dict)
    _contents: _Contents = field(default_factory=_Contents)
    _made: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        weakref.finalize(self, self._made.close).atexit = False

    def _keep(self, made: Value) -> Value:
        """Free what LLVM has made when this module ends."""
        self._made.callback(made.close)
        return made

    def refusal(self, what: str) -> UntranslatedError:
        """The error that names what the reference cannot translate."""
        return UntranslatedError(self.unit, what)

    @cached_property
    def _llvm(self) -> Any:
        try:
            import llvmlite.binding as llvm
        except ImportError as error:
            raise MissingToolError(
                "proof: llvmlite: not installed, and a proof's reference needs it to read LLVM IR; "
                "run `pip install thresher[synth]`"
            ) from error
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        return llvm

    def _read(self, text: str) -> Value:
        """A module in a context of its own, where types keep their names."""
        context = self._keep(self._llvm.create_context())
        return self._keep(self._llvm.parse_assembly(text, context))

    @cached_property
    def _machine(self) -> Value:
        return self._keep(self._llvm.Target.from_default_triple().create_target_machine())

    @cached_property
    def _module(self) -> Value:
        """The module, in which every value of a function has a name."""
        module = self._read(self.text)
        builder = self._llvm.create_pass_builder(self._machine, self._llvm.create_pipeline_tuning_options())
        passes = self._llvm.create_new_module_pass_manager()
        passes.add_instruction_namer_pass()
        passes.run(module, builder)
        return module

    def function(self, name: str) -> Value:
        """A function."""
        return self._module.get_function(name)

    @cached_property
    def _variables(self) -> dict[str, Value]:
        return {variable.name: variable for variable in self._module.global_variables}

    # Types

    @cached_property
    def _layout(self) -> Value:
        return self._llvm.create_target_data(self._module.data_layout)

    def type_of(self, text: str) -> Value:
        """The type that is written as `text`."""
        if text not in self._parsed:
            lines = [*_TYPE_LINE.findall(self.text), f"@asked = external global {text}", ""]
            try:
                self._parsed[text] = self._read("\n".join(lines))
            except RuntimeError as error:
                raise self.refusal(f"the LLVM type '{text}'") from error
        return self._parsed[text].get_global_variable("asked").global_value_type

    def size_of(self, kind: Value) -> int:
        """The bytes from one element of an array to the next."""
        size: int = self._layout.get_abi_size(kind)
        return size

    def step_into(self, kind: Value, index: int) -> tuple[int, Value]:
        """The byte of an element of a struct, and its type."""
        return self._layout.get_element_offset(kind, index), list(kind.elements)[index]

    @cached_property
    def unit_bytes(self) -> int:
        """The size of the unit."""
        return self.size_of(self._variables["thresher_initial"].global_value_type)

    # Machine code

    @cached_property
    def _engine(self) -> Value:
        module = self._read(_OF_TARGET.sub("", self.text))
        for function in module.functions:
            if function.is_declaration and not function.name.startswith("llvm."):
                self._bind(function.name)
        for variable in module.global_variables:
            if variable.linkage.name in ("private", "internal"):
                variable.linkage = "external"
        engine = self._keep(self._llvm.create_mcjit_compiler(module, self._machine))
        engine.finalize_object()
        return engine

    def _bind(self, name: str) -> None:
        if name.startswith("thresher_"):
            others = self._contents.called.get(name, _CALLED_NOTHING)
            called = _CALLED_ROM if name == "thresher_rom" else others
            self._llvm.add_symbol(name, ctypes.cast(called, ctypes.c_void_p).value)
        elif name.startswith(MISTAKE):
            self._llvm.add_symbol(name, ctypes.cast(_CALLED_NOTHING, ctypes.c_void_p).value)
        elif name not in _KNOWN:
            raise self.refusal(f"a module that declares '{name}'")

    def constant(self, name: str) -> bytes:
        """The bytes of a global that is a constant."""
        variable = self._variables[name]
        if " constant " not in str(variable).split("=", 1)[1][:200]:
            raise self.refusal(f"the variable '{name}', which is no constant")
        size = self.size_of(variable.global_value_type)
        return ctypes.string_at(self._engine.get_global_value_address(name), size)

    def initial_bits(self) -> InitialBits:
        """What `thresher_reset` stores: where memory of zeros and of ones become the same."""
        zeros, ones = (self._after_reset(fill) for fill in (0, 255))
        known = ~(zeros ^ ones) % (1 << 8 * self.unit_bytes)
        return InitialBits(known, zeros & known)

    def initial_words(self) -> Mapping[int, list[int]]:
        """The words that the constructor gives memories, by their bytes in the unit."""
        self._constructed(0)
        return self._contents

    def _after_reset(self, fill: int) -> int:
        return int.from_bytes(self._constructed(fill), "little")

    def _constructed(self, fill: int) -> bytes:
        """The bytes of a unit that is constructed in memory that is filled with a byte."""
        memory = (ctypes.c_uint8 * (self.unit_bytes + _ALIGNMENT))(*[fill] * (self.unit_bytes + _ALIGNMENT))
        place = -(-ctypes.addressof(memory) // _ALIGNMENT) * _ALIGNMENT
        reset = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.get_function_address("thresher_reset"))
        self._contents.begin(place)
        reset(place)
        return ctypes.string_at(place, self.unit_bytes)
