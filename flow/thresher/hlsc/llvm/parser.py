"""Parser of the part of LLVM's textual IR that clang writes for C++ without exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from thresher.hlsc.llvm.instruction_reader import InstructionReader
from thresher.hlsc.llvm.module import Block, Function, Instruction, Module, VariableName
from thresher.hlsc.llvm.reader import name_of
from thresher.hlsc.llvm.types import OtherType

_DEFINE = re.compile(r'define .*?@("[^"]*"|[-\w.$]+)\((.*)\)[^()]*\{$')
_LABEL = re.compile(r'("[^"]*"|[-\w.$]+):')
_GLOBAL = re.compile(r'@("[^"]*"|[-\w.$]+) = (.*)')
_TYPE = re.compile(r'%("[^"]*"|[-\w.$]+) = type (.*)')
_METADATA = re.compile(r"(!\d+) = (?:distinct )?(.*)")
# LLVM 19 writes a record, LLVM 18 a call.
_VARIABLE = re.compile(r'dbg[._]value\((?:metadata )?i\d+ %("[^"]*"|[-\w.$]+), (?:metadata )?(!\d+),')
# A variable that is computed from a value is not the value.
_UNCHANGED = re.compile(
    r"DIExpression\("
    r"(?:(?:DW_OP_LLVM_convert, \d+, DW_ATE_\w+|DW_OP_LLVM_fragment, \d+, \d+|DW_OP_stack_value)(?:, )?)*\)"
)
_PARAMETER = re.compile(r'%("[^"]*"|[-\w.$]+)(?:,|$)')
_OPCODE = re.compile(r'^\s*(?:(%"[^"]*"|%[-\w.$]+) = )?(?:(?:tail|musttail|notail) )?(\w+)')
_LOCATION = re.compile(r" !dbg (!\d+)")


def parse(text: str) -> Module:
    """Read a module. Lines that are neither code, data nor numbered metadata are skipped.

    Raises:
        ValueError: a function is not written as LLVM writes it.
    """
    functions: dict[str, Function] = {}
    globals_: dict[str, str] = {}
    metadata: dict[str, str] = {}
    types: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("define "):
            function = _function(line, lines, types)
            functions[function.name] = function
        elif found := _METADATA.match(line):
            metadata[found[1]] = found[2]
        elif found := _GLOBAL.match(line):
            globals_[name_of(found[1])] = found[2]
        elif found := _TYPE.match(line):
            types[name_of(found[1])] = found[2]
    return Module(functions, globals_, types, metadata)


def _function(header: str, lines: Iterator[str], types: Mapping[str, str]) -> Function:
    found = _DEFINE.match(_LOCATION.sub("", header))
    if not found:
        raise ValueError(f"not a function: {header}")
    parameters = tuple(name_of(name) for name in _PARAMETER.findall(found[2]))
    location = _LOCATION.search(header)
    blocks: list[Block] = []
    variables: list[VariableName] = []
    label, instructions = str(len(parameters)), list[Instruction]()
    for line in _joined(lines):
        if line == "}":
            break
        if marker := _LABEL.match(line):
            if instructions:
                blocks.append(Block(label, tuple(instructions)))
            label, instructions = name_of(marker[1]), []
        elif "#dbg_" in line or "@llvm.dbg." in line:
            if (variable := _VARIABLE.search(line)) and _UNCHANGED.search(line):
                variables.append(VariableName(name_of(variable[1]), variable[2]))
        elif line.strip():
            instructions.append(_instruction(line, types))
    blocks.append(Block(label, tuple(instructions)))
    return Function(
        name_of(found[1]), parameters, tuple(blocks), tuple(variables), location[1] if location else ""
    )


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a body, with the cases of a switch on one line."""
    for line in lines:
        if line.startswith("  switch "):
            while "]" not in line:
                line += " " + next(lines).strip()  # noqa: PLW2901
        yield line


def _instruction(line: str, types: Mapping[str, str]) -> Instruction:
    """One instruction; of one that hlsc cannot read, only the name."""
    found = _LOCATION.search(line)
    location = found[1] if found else ""
    end = line.find(", !")
    reader = InstructionReader(line if end < 0 else line[:end], types)
    try:
        return reader.instruction(location)
    except (IndexError, ValueError):
        result, opcode = _OPCODE.findall(line)[0]
        return Instruction(opcode, OtherType("void"), result=name_of(result), location=location)
