"""The contents of an object file's symbols. Knows 64-bit little-endian ELF, and no more than this needs."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SECTIONS = struct.Struct("<40xQ10xHH2x")
_SECTION = struct.Struct("<4xI16xQQI12xQ")
_SYMBOL = struct.Struct("<I2xHQQ")
_SYMBOL_TABLE, _NO_BITS = 2, 8


@dataclass(frozen=True)
class _Section:
    kind: int
    data: bytes
    link: int


def symbol_bytes(file: bytes) -> dict[str, bytes]:
    """The bytes of every symbol that has a name and lies in a section."""
    sections = _sections(file)
    found: dict[str, bytes] = {}
    for table in sections:
        if table.kind == _SYMBOL_TABLE:
            names = sections[table.link].data
            for name, section, first, size in _SYMBOL.iter_unpack(table.data):
                if name and 0 < section < len(sections):
                    text = names[name : names.index(b"\0", name)].decode()
                    found[text] = sections[section].data[first : first + size]
    return found


def _sections(file: bytes) -> list[_Section]:
    begin, entry, count = _SECTIONS.unpack_from(file)
    found = []
    for index in range(count):
        kind, offset, size, link, _ = _SECTION.unpack_from(file, begin + index * entry)
        data = bytes(size) if kind == _NO_BITS else file[offset : offset + size]
        found.append(_Section(kind, data, link))
    return found
