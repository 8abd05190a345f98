"""The clang inside zig, called without zig in front of it.

`zig c++` computes hashes of all that a compilation reads, starts itself once more as clang, and keeps the
result in a cache that grows with every unit. That takes as long as clang takes for a small unit.
"""

from __future__ import annotations

import functools
import shlex
import subprocess
import tempfile
from pathlib import Path

from thresher_sim.caches import tool_environment


@functools.cache
def front_end(compiler: tuple[str, ...], flags: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The command that `zig c++` runs to compile a C++ file of that name with these flags, `-S` among them.

    The input and `-o` with the output are to be added, and may be preceded by `-I` and `-include`. A zig
    that does not tell its command is called itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, name)
        source.touch()
        command = (*compiler, *flags)
        program = str(Path(compiler[0]).absolute())
        asked = (program, *command[1:], "-###", str(source), "-o", str(source.with_suffix(".out")))
        # Zig names its headers from the working folder where they lie below it, and that may change.
        said = subprocess.run(
            asked, capture_output=True, text=True, check=False, cwd=folder, env=tool_environment()
        )
        line = next((line for line in said.stderr.splitlines() if '"-cc1"' in line), "")
        words = shlex.split(line)
        if said.returncode != 0 or words[-1:] != [str(source)] or words.count("-o") != 1:
            return command
        output = words.index("-o")
        return tuple(map(_anywhere, (*words[:output], *words[output + 2 : -1])))


def _anywhere(word: str) -> str:
    """A word of the command without the folder that it was asked in, from which clang would name files."""
    option, is_folder, _ = word.partition("-compilation-dir=")
    return f"{option}{is_folder}/" if is_folder else word


def assembler(compiler: tuple[str, ...]) -> tuple[str, ...]:
    """The command that takes LLVM IR, for which clang needs none of the headers that zig finds for it."""
    return (*compiler[:-1], "clang")
