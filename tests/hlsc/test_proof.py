"""Pipelined units are proved to do what their C++ does, and broken ones are not."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.hlsc.proving import in_blocks, pipelined
from tests.needs import require_yosys
from thresher.errors import MissingToolError, UsageError
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc_proof import Claim, DisprovedError, claim, decide, meaning, prove, sat
from thresher.hlsc_proof.harness import FAULTS
from thresher.hlsc_proof.llvm_module import LlvmModule, UntranslatedError
from thresher.hlsc_proof.streams import streams_of
from thresher.share import share_dir
from thresher.tools.open_synthesis import Yosys

HLS = Path(__file__).resolve().parents[2] / "hls"
UNITS = Path(__file__).parent / "proof_units.hpp"

# Units whose C++ has no meaning on some beats, as Quotient has none where it divides by zero.
UNDEFINED = ("Outside", "TooFar", "ByZero", "OutsideRam")

# The units, with the stages that each is cut into at least and the cycles for which it is proved.
BOUNDS = {
    "Accumulate": (3, 12),
    "Delay": (2, 14),
    "Cache": (1, 12),
    "Lookup": (3, 12),
    "LongLookup": (2, 14),
    "Merge": (3, 14),
    "Decimate": (2, 16),
    "Route": (2, 12),
    "Packet": (2, 12),
    "Popcount": (3, 16),
    "Optional": (2, 12),
    "Arithmetic": (2, 12),
    "Divide": (2, 8),
    "Quotient": (2, 8),
    "Root": (2, 8),
    "Rounded": (2, 8),
    "Count": (1, 16),
    "ReadAhead": (1, 16),
    "Either": (2, 12),
    "Spill": (2, 10),
    "Share": (1, 9),
    "Both": (2, 9),
    "Ticks": (1, 10),
    **dict.fromkeys(UNDEFINED, (1, 8)),
}

# The units that are also proved with block memory, by the names that they then have below.
BLOCKS = {
    "Delay in block RAM": "Delay",
    "Lookup in block ROM": "Lookup",
    "ReadAhead in block RAM": "ReadAhead",
}
BLOCK_CLOCK_MHZ = 300.0
BLOCK_CYCLES = 14


def source(name: str) -> UnitSource:
    return UnitSource(UNITS, f"proof_units::{name}", (HLS,))


@dataclass(frozen=True)
class Breakage:
    """What is done to a unit's SystemVerilog, and faults of which it shows one at least."""

    unit: str
    do: Callable[[Claim], Claim]
    faults: tuple[str, ...]


def edit(pattern: str, text: str, more: str = "") -> Callable[[Claim], Claim]:
    """Replace the first match of a pattern, which must be there, and put more at the module's end."""

    def do(wanted: Claim) -> Claim:
        verilog, count = re.subn(pattern, text, wanted.verilog, count=1, flags=re.MULTILINE)
        assert count == 1, wanted.verilog
        return replace(wanted, verilog=verilog.replace("endmodule", f"{more}\nendmodule"))

    return do


def drop_register(wanted: Claim) -> Claim:
    """Stage 2 sees a value of the step in stage 1."""
    found = re.search(r"^ +(\w+_s2_q) <= (.+);$", wanted.verilog, re.MULTILINE)
    assert found
    return edit(re.escape(found[0]), "", f"  assign {found[1]} = {found[2]};")(wanted)


def write_late(wanted: Claim) -> Claim:
    """A memory is written one cycle after the step that reads it."""
    names = ("write_i", "write_address_i", "write_data_i")
    late = "  always_ff @(posedge ap_clk) begin\n"
    for name, width in zip(names, (1, 2, 3), strict=True):
        found = re.search(rf"\.{name} *\((.+)\),$", wanted.verilog, re.MULTILINE)
        assert found
        wanted = edit(re.escape(found[0]), f".{name}(late_{name}),")(wanted)
        wanted = edit(r"^\);$", f");\n  logic [{width - 1}:0] late_{name};")(wanted)
        late += f"    late_{name} <= {found[1]};\n"
    return replace(wanted, verilog=wanted.verilog.replace("endmodule", f"{late}  end\nendmodule"))


def edit_cell(cell: str, pattern: str, text: str) -> Callable[[Claim], Claim]:
    """Use another `cell`, in all of whose lines that match a pattern the match is replaced."""

    def do(wanted: Claim) -> Claim:
        assert wanted.verilog.count(f" {cell} #(") == 1
        source = (share_dir("rtl") / f"{cell}.sv").read_text()
        broken, count = re.subn(pattern, text, source)
        assert count
        broken = broken.replace(f"module {cell}", "module broken")
        return replace(wanted, verilog=broken + wanted.verilog.replace(f" {cell} #(", " broken #("))

    return do


BREAKAGES = {
    "a register between stages is missing": Breakage("Accumulate", drop_register, ("wrong",)),
    "a memory is written after the next step reads it": Breakage("Cache", write_late, ("wrong",)),
    "stages move on while the output is full": Breakage(
        "Accumulate",
        edit(r"assign advance = .*;", "assign advance = 1'b1;"),
        ("wrong", "late"),
    ),
    "state changes without a step": Breakage(
        "Accumulate", edit(r"else if \(stage0_go\)", "else if (stage0_valid)"), ("wrong",)
    ),
    "an output does not wait": Breakage(
        "Lookup", edit(r"else if \(m_axis_free\)", "else"), ("withdrawn", "wrong")
    ),
    "bubbles hold what is before them": Breakage(
        "Lookup",
        edit(r"assign advance = (.*);", r"assign advance = stage0_valid && (\1);"),
        ("late",),
    ),
    "a beat is taken that is not needed": Breakage(
        "Merge", edit(r"assign right_tready = right_needed && ", "assign right_tready = "), ("reads",)
    ),
    "a step waits for a beat that it only asks for": Breakage(
        "ReadAhead",
        edit(r"assign stage0_valid = 1'b1;", "assign stage0_valid = s_axis_tvalid;"),
        ("late", "wrong"),
    ),
    "a beat is taken that was not found": Breakage(
        "ReadAhead", edit(r"assign s_axis_tready = s_axis_needed && ", "assign s_axis_tready = "), ("reads",)
    ),
    "a stream is found empty in the cycle before": Breakage(
        "Either",
        edit(
            r"assign none = !sometimes_tvalid;",
            "logic late_q;\n  assign none = !late_q;",
            "  always_ff @(posedge ap_clk) late_q <= sometimes_tvalid;",
        ),
        ("wrong", "reads"),
    ),
    "no step begins behind another": Breakage(
        "Count", edit(r"assign advance = .*;", "assign advance = !m_axis_tvalid;"), ("idle",)
    ),
    "the latency is longer than it is said to be": Breakage(
        "Packet", lambda wanted: replace(wanted, stages=wanted.stages - 1), ("late",)
    ),
    "a register is reset to another value": Breakage(
        "Accumulate", edit(r"total_q <= 4'd3;", "total_q <= 4'd2;"), ("wrong",)
    ),
    "block memory gives the word that is being written": Breakage(
        "Delay in block RAM",
        edit_cell(
            "block_ram",
            r"<= words\[read_address_i\]",
            "<= write_i && write_address_i == read_address_i ? write_data_i : words[read_address_i]",
        ),
        ("wrong",),
    ),
    "block memory reads on while its stage is held": Breakage(
        "Delay in block RAM", edit_cell("block_ram", r"if \(read_i\)", "if (1'b1)"), ("wrong",)
    ),
    "a block table reads on while its stage is held": Breakage(
        "Lookup in block ROM",
        edit(r"if \(advance\) (?=begin\n +\w+ <= kTable_table)", "if (1'b1) "),
        ("wrong",),
    ),
    "a table's cell reads on while its stage is held": Breakage(
        "LongLookup", edit_cell("rom", r"if \(read_i\)", "if (1'b1)"), ("wrong",)
    ),
    "a table's cell holds other words": Breakage(
        "LongLookup", edit_cell("rom", r"Words\[address", "Words[(address ^ (address == 31))"), ("wrong",)
    ),
    "the signals of a beat are exchanged": Breakage(
        "Spill", edit(r"\{m_axis_tlast, m_axis_tuser, ", "{m_axis_tuser, m_axis_tlast, "), ("wrong",)
    ),
    "an output is said to be full that is not": Breakage(
        "Share", edit(r"assign left_full = .*;", "assign left_full = 1'b1;"), ("full",)
    ),
    "an output with a queue is said to be full that is not": Breakage(
        "Spill", edit_cell("output_queue", r"assign full_o = .*;", "assign full_o = 1'b1;"), ("full",)
    ),
    "an output is said to be full a beat too late": Breakage(
        "Spill", edit_cell("output_queue", r"full_o = .*;", "full_o = spare_q == 3'b110;"), ("waits",)
    ),
    "steps that are on their way do not count": Breakage(
        "Spill", edit_cell("output_queue", r"\(begins_i\)", "(written)"), ("waits",)
    ),
    "a queue loses the beat that comes as one leaves": Breakage(
        "Spill", edit_cell("output_queue", r"(?<=stores = )written", "written && !moves"), ("wrong", "late")
    ),
    "a beat is wrong in a step that has a meaning": Breakage(
        "Outside", edit(r"behind_?\b[^;]*= 4'd3|4'd3", "4'd4"), ("wrong",)
    ),
    "what was never written is read": Breakage("Unset", lambda wanted: wanted, ("wrong",)),
}


def claims() -> dict[str, Claim]:
    """What is said of the units."""
    plain = {name: pipelined(source(name), *bound) for name, bound in BOUNDS.items()}
    return plain | {
        name: in_blocks(source(unit), BLOCK_CLOCK_MHZ, BLOCK_CYCLES) for name, unit in BLOCKS.items()
    }


def test_every_unit_does_what_its_cpp_does() -> None:
    """One test, so that they share one run of Yosys."""
    require_yosys()
    wanted = claims()
    proofs = dict(zip(wanted, decide(list(wanted.values())), strict=True))

    assert {name: proof.counterexample for name, proof in proofs.items()} == dict.fromkeys(wanted, "")
    assert all(proof.proved for proof in proofs.values())
    assert {name for name, proof in proofs.items() if proof.has_undefined} == {*UNDEFINED, "Quotient"}
    for name, (stages, cycles) in (BOUNDS | dict.fromkeys(BLOCKS, (3, BLOCK_CYCLES))).items():
        assert proofs[name].unit == f"proof_units::{BLOCKS.get(name, name)}"
        assert proofs[name].cycles == cycles
        assert cycles > 2 * proofs[name].stages >= 2 * stages, name


def test_no_broken_unit_is_proved() -> None:
    """One test, as above."""
    require_yosys()
    wanted = claims() | {"Unset": claim(source("Unset"), 100.0, 8)}
    broken = [breakage.do(wanted[breakage.unit]) for breakage in BREAKAGES.values()]

    for (name, breakage), proof in zip(BREAKAGES.items(), decide(broken), strict=True):
        assert not proof.proved, name
        texts = "|".join(re.escape(FAULTS[fault]) for fault in breakage.faults)
        fault = re.compile(rf"^cycle \d+(, \w+)?: the unit ({texts})$", re.MULTILINE)
        assert fault.search(proof.counterexample), (name, proof.counterexample)


def test_a_counterexample_says_what_the_cpp_writes() -> None:
    require_yosys()
    breakage = BREAKAGES["a register is reset to another value"]
    (proof,) = decide([breakage.do(pipelined(source(breakage.unit), *BOUNDS[breakage.unit]))])
    *rows, fault = proof.counterexample.splitlines()

    cells = [re.split(r"  +", row.strip()) for row in rows]
    assert cells[0] == ["cycle", "s_axis", "m_axis", "m_axis in C++"]
    taken = [int(row[1]) for row in cells[1:] if row[1].isdigit()]
    total = (3 + taken[0]) % 16
    hash_ = ((total ^ total >> 2) + 5) % 16
    assert int(cells[-1][3]) == (hash_ ^ hash_ << 1) % 16
    assert int(cells[-1][2].split()[0]) != int(cells[-1][3])
    assert fault == f"cycle {cells[-1][0]}, m_axis: the unit {FAULTS['wrong']}"


def test_a_bound_that_shows_little_is_refused() -> None:
    require_yosys()
    with pytest.raises(UsageError) as error:
        prove(source("Accumulate"), 100.0, 3)

    assert str(error.value) == (
        "proof: unit 'proof_units::Accumulate': no run of 3 cycles has 3 beats at every output after one had "
        "to wait, so a proof would say little; give more cycles"
    )


def test_a_yosys_that_cannot_read_systemverilog_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sat, "find_yosys", lambda: Yosys(("yosys",), "0.77", slang=False))

    with pytest.raises(MissingToolError) as error:
        prove(source("Count"), 100.0, 12)

    assert str(error.value) == (
        "proof: Yosys 0.77 ('yosys') cannot read SystemVerilog: it has no read_slang; "
        "run `pip install thresher[synth]`, or install Yosys' plugin slang"
    )


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        prove(source("Count"), 100.0, 0)

    assert str(error.value) == (
        "proof: unit 'proof_units::Count': 0 cycles prove nothing; give a positive number"
    )


def test_what_the_reference_cannot_translate_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(meaning.BINARY, "ashr")
    with pytest.raises(UntranslatedError) as error:
        claim(source("Arithmetic"), 100.0, 12)

    assert re.fullmatch(
        r"proof: unit 'proof_units::Arithmetic': the reference cannot translate the LLVM instruction "
        r"'%\S+ = ashr [^']+'; leave --prove out, and hold the unit to its C\+\+ with --sim",
        str(error.value),
    )
    assert error.value.exit_code == 3


def test_without_llvmlite_there_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.raises(MissingToolError) as error:
        claim(source("Count"), 100.0, 12)

    assert str(error.value) == (
        "proof: llvmlite: not installed, and a proof's reference needs it to read LLVM IR; "
        "run `pip install thresher[synth]`"
    )


def test_a_module_in_a_cycle_of_references_ends_without_ending_the_process() -> None:
    text = emit_llvm(source("Cache")).text
    for _ in range(20):
        cycle: list[object] = [LlvmModule("Cache", text)]
        module = cycle[0]
        assert isinstance(module, LlvmModule)
        assert module.initial_bits().known and module.function("thresher_step") and module.type_of("i32")
        cycle.append(cycle)
        del cycle, module
        gc.collect()


def test_a_unit_with_other_streams_is_disproved(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*arguments: object) -> CompiledUnit:
        return replace(compile_unit(*arguments), outputs=(("m_axis", 5),))  # type: ignore[arg-type]

    monkeypatch.setattr(sat, "compile_unit", compiled)
    with pytest.raises(DisprovedError) as error:
        claim(source("Count"), 100.0, 12)

    assert str(error.value) == (
        "proof: unit 'proof_units::Count': its module has the streams () and (('m_axis', 5),), where its "
        "C++ has () and (('m_axis', 4),); report a fault of hlsc"
    )


def test_the_streams_of_nested_ports(tmp_path: Path) -> None:
    header = tmp_path / "ports.hpp"
    header.write_text(
        '#include "thresher/stream.hpp"\nusing namespace thresher;\n'
        "struct Pair { InStream<3> left; OutStream<70> right; };\nstruct Base { InStream<1> first; };\n"
        "struct Unit {\n  struct Ports : Base { Pair pairs[2]; OutStream<5> grid[2][3]; };\n"
        "  void step(Ports& p) { p.grid[1][2].write(p.pairs[1].left.read()); }\n};\n"
    )
    found = streams_of(emit_llvm(UnitSource(header, "Unit", (HLS,))).text)

    assert [(each.name, each.width, each.offset) for each in found.inputs] == [
        *(("first", 1, 0), ("pairs_0_left", 3, 1), ("pairs_1_left", 3, 3)),
    ]
    assert [(each.name, each.width, each.offset) for each in found.outputs] == [
        *(("pairs_0_right", 70, 2), ("pairs_1_right", 70, 4)),
        *((f"grid_{row}_{column}", 5, 5 + 3 * row + column) for row in range(2) for column in range(3)),
    ]
