"""What the compiled C++ itself holds: the bytes of a module's constants, laid out by clang.

hlsc reads constants in LLVM's text. That reading is held against these bytes, which clang makes of the
same text: no value is read here, the definitions are only picked out and given names of their own.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import ToolFailedError
from thresher.hlsc.clang import INITIAL_OBJECT
from thresher.hlsc.elf import symbol_bytes
from thresher.hlsc.llvm.reader import name_of
from thresher.hlsc.zig import assembler
from thresher_sim.caches import tool_environment
from thresher_sim.toolchain import find_clang, is_zig

# A format that can be read on every machine, whatever the machine's own is.
_FLAGS = ("-c", "-target", "x86_64-linux-musl", "-Wno-override-module")
_DEFINITION = re.compile(r'@("[^"]*"|[-\w.$]+) = ([^"]*?)\b(constant|global) ')
_ATTRIBUTES = re.compile(
    r"(?:, (?:!\w+ !\d+|align \d+|comdat(?:\([^()]*\))?|section \"[^\"]*\"|code_model \"\w+\"))+(?: #\d+)?$"
)
_LONGEST_ATTRIBUTES = 1000
_QUOTED_OR_ADDRESS = re.compile(r'c?"[^"]*"|@')
_OF_ELSEWHERE = frozenset({"external", "extern_weak"})


@dataclass(frozen=True)
class CompiledData:
    """The constants of a module, and the unit's initial object, being compiled.

    `has_initial_object` says whether the object's bytes are constant: where clang does not evaluate the
    constructor, the object is made before `main`. `names` are LLVM's names by those in the object file.
    """

    has_initial_object: bool
    names: Mapping[str, str]
    _clang: subprocess.Popen[str]
    _object: Path

    def contents(self) -> Mapping[str, bytes]:
        """The bytes by LLVM's name, once clang has ended; to be asked for once.

        A constant that holds addresses has none.

        Raises:
            ToolFailedError: clang does not take what it has written itself.
        """
        _, said = self._clang.communicate()
        if self._clang.returncode != 0:
            raise ToolFailedError(
                f"hlsc: clang does not compile the constants of its own LLVM IR: {said.strip()[-200:]}; "
                "use another clang, or install the wheel ziglang"
            )
        found = symbol_bytes(self._object.read_bytes())
        return {name: found[symbol] for symbol, name in self.names.items()}


@contextmanager
def compiled_data(text: str) -> Iterator[CompiledData]:
    """Compile the constants of a module, while the caller does something else.

    Raises:
        MissingToolError: there is no clang.
    """
    definitions = dict(_definitions(text))
    names = {f"constant{index}": name for index, name in enumerate(definitions)}
    lines = [line for line in text.splitlines() if line.startswith(("target datalayout", "%"))]
    lines += [f"@{symbol} = constant {definitions[name]}" for symbol, name in names.items()]
    is_constant = len(re.findall(rf"@{INITIAL_OBJECT}\b", text)) == 1
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "data.ll"), Path(folder, "data.o")
        source.write_text("\n".join([*lines, ""]), encoding="utf-8")
        compiler = find_clang()
        command = [*(assembler(compiler) if is_zig(compiler) else compiler)]
        command += [*_FLAGS, str(source), "-o", str(target)]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=tool_environment()
        ) as clang:
            try:
                yield CompiledData(is_constant, names, clang, target)
            finally:
                clang.kill()


def _definitions(text: str) -> Iterator[tuple[str, str]]:
    """The name, and the type with the value, of each global that has bytes."""
    for line in text.splitlines():
        found = _DEFINITION.match(line)
        if not found or not _OF_ELSEWHERE.isdisjoint(found[2].split()):
            continue
        name, value = name_of(found[1]), line[found.end() :]
        if found[3] != "constant" and name != INITIAL_OBJECT:
            continue
        kept, end = value[:-_LONGEST_ATTRIBUTES], value[-_LONGEST_ATTRIBUTES:]
        value = kept + _ATTRIBUTES.sub("", end)
        if "@" not in _QUOTED_OR_ADDRESS.findall(value):
            yield name, value
