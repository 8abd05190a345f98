"""The headers that a unit is made of, so that they can travel with its project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from thresher.errors import ToolFailedError
from thresher.hlsc import UnitSource
from thresher.hlsc.clang import include_folders
from thresher.share import share_dir
from thresher_sim.caches import tool_environment
from thresher_sim.compile import summarise_log
from thresher_sim.toolchain import find_clang

# A line marker of the preprocessor: the file that the next lines are of, and 3 for a system header.
_MARKER = re.compile(r'^# \d+ "((?:[^"\\]|\\.)*)"((?: \d)*)$', re.MULTILINE)


UNIT_FOLDER = "unit"
"""Where in a project's `hls/` the user's headers lie."""


@dataclass(frozen=True)
class HeaderTree:
    """The user's headers with their places in a project's `hls/`.

    `header` is the one that defines the unit, and `include_dirs` are the folders for `#include` besides
    `hls/` itself; all paths but the keys of `copies` are relative to `hls/`.
    """

    header: PurePosixPath
    copies: Mapping[Path, PurePosixPath]
    include_dirs: tuple[PurePosixPath, ...]

    def copy(self, hls: Path) -> None:
        """Copy the headers to `hls`."""
        for file, place in self.copies.items():
            (hls / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, hls / place)


def header_tree(source: UnitSource) -> HeaderTree:
    """The headers that a unit's header includes, itself among them, without Thresher's and the system's.

    They keep their places to each other, so that `#include "../common.hpp"` goes on meaning the same.

    Raises:
        ToolFailedError: clang cannot preprocess them.
        MissingToolError: there is no clang.
    """
    own, header = share_dir("hls").resolve(), source.header.resolve()
    files = sorted({path for path in _included(source) if not path.is_relative_to(own)})
    if header not in files:  # one of Thresher's own units
        return HeaderTree(PurePosixPath(header.relative_to(own)), {}, ())
    searched = (source.header.parent.resolve(), *(folder.resolve() for folder in source.include_dirs))
    used = [path for path in dict.fromkeys(searched) if any(file.is_relative_to(path) for file in files)]
    root = Path(os.path.commonpath([*used, *(file.parent for file in files)]))
    copies = {file: UNIT_FOLDER / PurePosixPath(file.relative_to(root)) for file in files}
    folders = tuple(UNIT_FOLDER / PurePosixPath(path.relative_to(root)) for path in used)
    return HeaderTree(copies[header], copies, folders)


def _included(source: UnitSource) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        command = [*find_clang(), "-std=c++20", "-E"]
        includes = include_folders(source, Path(folder))
        command += [word for include in includes for word in ("-I", str(include))]
        main = Path(folder, "main.cpp")
        main.write_text(f'#include "{includes[0] / source.header.name}"\n', encoding="utf-8")
        command += [str(main)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, check=False, env=tool_environment()
        )
        if done.returncode:
            raise ToolFailedError(
                f"hlsc: unit '{source.type_name}': clang does not preprocess '{source.header}': "
                f"{summarise_log(done.stderr)}; mend the C++"
            )
        for name, flags in _MARKER.findall(done.stdout):
            path = Path(folder, re.sub(r"\\(.)", r"\1", name))
            if "3" not in flags.split() and path.is_file() and path != main:
                yield path.resolve()
