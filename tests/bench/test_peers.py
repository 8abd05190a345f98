"""A peer's units beside ours: what counts as smaller, and how it is shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.peers import Measured, table
from bench.quality import Size


@pytest.mark.parametrize(
    ("lut", "logic_cells", "smaller"), [(26, 26, True), (27, 20, False), (20, 27, False), (40, 50, False)]
)
def test_both_counts_must_be_below_the_peers(lut: int, logic_cells: int, smaller: bool) -> None:
    assert Measured("made_up", 27, Size(lut, logic_cells, 10, 0)).is_smaller == smaller


def test_a_bound_of_its_own_must_be_kept() -> None:
    size = Size(20, 15, 10, 0, 2.0)

    assert Measured("made_up", 27, size, most_logic_cells=15, most_bram36=2).is_smaller
    assert not Measured("made_up", 27, size, most_logic_cells=14).is_smaller
    assert not Measured("made_up", 27, size, most_bram36=1.5).is_smaller


def test_the_table_says_what_misses() -> None:
    rows = [
        Measured("small", 27, Size(6, 5, 115, 0, 0.5)),
        Measured("large", 27, Size(55, 53, 67, 0)),
    ]
    console = Console(file=io.StringIO(), width=120)
    console.print(table(rows))
    assert isinstance(console.file, io.StringIO)
    shown = [line.split("│")[1:-1] for line in console.file.getvalue().splitlines() if "│" in line]

    assert [[cell.strip() for cell in row] for row in shown] == [
        ["small", "27", "6", "5", "115", "0.5", "yes"],
        ["large", "27", "55", "53", "67", "0", "no (misses)"],
    ]
