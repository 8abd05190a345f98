"""Scripts for Yosys: a module mapped to the cells of a family, alone and flat."""

from __future__ import annotations

from collections.abc import Sequence

# The families that Yosys maps to: AMD's 7 series and UltraScale+, Lattice's ECP5.
FAMILIES = ("xc7", "xcup", "ecp5")


def yosys_script(
    top: str,
    sources: Sequence[str],
    family: str,
    *,
    by_module: bool = False,
    json: str | None = None,
    verilog: str | None = None,
) -> str:
    """Map `top`, whose SystemVerilog lies in `sources`, to one of `FAMILIES`, and print what it takes.

    No pads or clock buffers are put in: the ports stay as they are. `by_module` maps each module alone
    and joins them then, so that no combinational path runs through several while it is mapped; what
    would be shared between modules is not. `json` and `verilog` name files for the netlist.
    """
    flatten = "-noflatten" if family == "ecp5" else ""
    if not by_module:
        flatten = "" if family == "ecp5" else "-flatten"
    command = "synth_ecp5" if family == "ecp5" else f"synth_xilinx -family {family} -noiopad -noclkbuf"
    lines = [
        f"read_slang --threads 1 --top {top} {' '.join(sources)}",
        " ".join(filter(None, [command, flatten, f"-top {top}"])),
        *(["flatten", "opt_clean"] if by_module else []),
        "stat" if family == "ecp5" else "stat -tech xilinx",
        *([f"write_json {json}"] if json else []),
        *([f"write_verilog -noattr {verilog}"] if verilog else []),
    ]
    return "\n".join([*lines, ""])
