"""Names from outside that end up in C++ and SystemVerilog."""

from __future__ import annotations

import re
from pathlib import Path

from thresher.errors import UsageError
from thresher.share import share_dir
from thresher_sim.runner import SV_FOLDER
from thresher_sim.testbench import TOP

# A class, or a class template with types and numbers as arguments: nothing that ends the declaration.
_TYPE = re.compile(r"(?:::)?[A-Za-z_][A-Za-z0-9_:<>, -]*", re.ASCII)
_MODULE = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_HEADER = re.compile(r'[^"\\\x00-\x1f]+')


def check_type_name(text: str) -> None:
    """Raise `UsageError` where `text` cannot be the name of a class in C++."""
    if not _TYPE.fullmatch(text):
        raise UsageError(
            f"hlsc: --top {text!r} is not the name of a class; give one such as Unit, my::Unit or "
            "'my::Unit<8, 5>', of letters, digits, _, ::, <>, commas, spaces and minus signs"
        )


def check_header(header: Path) -> None:
    """Raise `UsageError` where `header` is no file, or has a name that `#include` cannot take."""
    if not header.is_file():
        raise UsageError(f"hlsc: there is no file '{header}'; name the header that defines the unit")
    if not _HEADER.fullmatch(header.name):
        raise UsageError(f"hlsc: {header.name!r} cannot be included; rename the file")


def module_name(type_name: str, chosen: str | None) -> str:
    """The name of the SystemVerilog module: the one that was chosen, or else made from the class.

    `my::Median<8, 5>` gives `Median_8_5`.

    Raises:
        UsageError: a cell or a module of the bench has that name, or it is not a name.
    """
    plain = re.sub(r"\w*::", "", type_name)
    name = re.sub("__+", "_", re.sub(r"\W", "_", plain, flags=re.ASCII)).strip("_")
    name = name if chosen is None else chosen
    if not _MODULE.fullmatch(name):
        raise UsageError(
            f"hlsc: '{name}' cannot be a module's name; give another with --name, of letters, digits and _"
        )
    taken = {path.stem for folder in (share_dir("rtl"), SV_FOLDER) for path in folder.glob("*.sv")}
    if name.lower() in taken | {TOP}:
        raise UsageError(f"hlsc: module '{name}' would hide Thresher's own; give another name with --name")
    return name
