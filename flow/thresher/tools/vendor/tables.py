"""The tables of text reports, as AMD's and Intel's tools print them: cells between `|` or `;`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from thresher.errors import ToolFailedError


def table_rows(text: str, separator: str) -> Iterator[list[str]]:
    """The cells of each line that begins with the separator, the first with its indentation."""
    for line in text.splitlines():
        if line.startswith(separator) and line.rstrip().endswith(separator):
            first, *rest = line.rstrip().strip(separator).split(separator)
            yield [first.rstrip(), *(cell.strip() for cell in rest)]


def find_number(
    tool: str, rows: Sequence[Sequence[str]], names: Sequence[str], default: float | None = None
) -> float:
    """The number behind the first of `names` that begins a row; `default` where there is none.

    A star after a name, a part of a whole (`87 / 553`) and commas between digits are left out.

    Raises:
        ToolFailedError: there is no such row, and no default.
    """
    for name in names:
        for row in rows:
            if row[0].strip().rstrip("*").rstrip() == name and len(row) > 1:
                return parse_number(tool, name, row[1])
    if default is not None:
        return default
    raise ToolFailedError(
        f"synth: {tool}: its report has no line '{names[0]}'; this version of the tool is not known"
    )


def parse_number(tool: str, name: str, text: str) -> float:
    """A number such as `1,234`, `0.5`, `-0.1` or `87 / 553 ( 16 % )`; raises `ToolFailedError`."""
    found = re.match(r"-?[\d,]*\.?\d+", text.strip())
    if found is None:
        raise ToolFailedError(
            f"synth: {tool}: '{name}' is {text.strip()!r} in its report, which is no number"
        )
    return float(found[0].replace(",", ""))
