"""A long table is printed twice, for synthesis and for Verilator: both must hold the words."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pyslang
import pytest

from tests.needs import missing
from thresher.hlsc.ir import Table
from thresher.hlsc.verilog.cells import LONG_TABLE, TableRead

# Columns 3 to 15 of words of 19 bits; some addresses are past the end.
DEPTH, LOW, WIDTH, ADDRESS_WIDTH = 201, 3, 13, 8
WORDS = random.Random(5).sample(range(2**19), DEPTH)
COLUMNS = [word // 2**LOW % 2**WIDTH for word in WORDS]

BENCH = """
module bench;
  reg ap_clk = 0, advance = 1;
  reg [7:0] address = 0;
  wire [12:0] now;
  reg [12:0] later;
{tables}
  initial begin
    for (integer word = 0; word < {depth}; word = word + 1) begin
      address = word[7:0];
      #1 ap_clk = 1;
      #1 ap_clk = 0;
      $display("%0d %0d", now, later);
    end
  end
endmodule
"""


def table_lines(depth: int) -> tuple[list[str], list[str]]:
    """The table in logic, read as `now`, and in block memory, read as `later`."""
    table = Table("words", 19, tuple(WORDS[:depth]))
    reads = [TableRead(word, "address", ADDRESS_WIDTH, table, LOW, WIDTH) for word in ("now", "later")]
    return reads[0].logic_lines("in_logic"), reads[1].block_lines("advance", "in_blocks")


def bench(depth: int) -> str:
    logic, block = table_lines(depth)
    return BENCH.format(depth=depth, tables="\n".join([*logic, *block]))


@pytest.mark.parametrize("depth", [DEPTH, LONG_TABLE - 1])
def test_the_form_for_synthesis_has_the_words(depth: int, tmp_path: Path) -> None:
    if shutil.which("iverilog") is None:
        missing("needs Icarus Verilog: apt-get install iverilog")
    (tmp_path / "bench.sv").write_text(bench(depth))

    subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.sv"], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines() == [f"{word} {word}" for word in COLUMNS[:depth]]


@pytest.mark.parametrize("name", ["in_logic", "in_blocks"])
def test_the_form_for_verilator_has_the_words(name: str) -> None:
    assert values(bench(DEPTH), name) == COLUMNS


def test_a_short_table_has_one_form() -> None:
    for lines in table_lines(LONG_TABLE - 1):
        assert "`ifdef VERILATOR" not in lines
    for lines in table_lines(LONG_TABLE):
        assert lines.count("`ifdef VERILATOR") == 1


def values(text: str, name: str) -> list[int]:
    """The words of the array of constants `name` as slang elaborates it with Verilator's macro."""
    options = pyslang.parsing.PreprocessorOptions()
    options.predefines = ["VERILATOR=1"]
    bag = pyslang.Bag([options])
    tree = pyslang.syntax.SyntaxTree.fromText(text, pyslang.SourceManager(), "bench.sv", "", bag)
    compilation = pyslang.ast.Compilation()
    compilation.addSyntaxTree(tree)
    assert [str(found.code) for found in compilation.getAllDiagnostics()] == []
    constant = compilation.getRoot().lookupName(f"bench.{name}")
    assert isinstance(constant, pyslang.ast.ParameterSymbol)
    words = constant.value.value
    assert isinstance(words, list)
    return [int(word.value) for word in words]
