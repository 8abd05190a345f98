"""Scripts for Yosys: a module mapped to the cells of a family, alone and flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The families of netlists that can be simulated, see `thresher_sim.netlist`.
SIMULATED = ("xc7", "ecp5")
# The families that Yosys maps to: AMD's 7 series and UltraScale+, Lattice's ECP5.
FAMILIES = ("xc7", "xcup", "ecp5")


def netlist_files(top: str, sources: Sequence[str]) -> Mapping[str, str]:
    """Scripts of the folder `synth/` of a project, by name, that write its netlists below `build`."""
    return {
        f"netlist_{family}.ys": f"# The netlist for {family}. Run from the project: "
        f"make sim-netlist FAMILY={family}\n"
        + yosys_script(top, sources, family, verilog=f"build/netlist_{family}.v")
        for family in SIMULATED
    }


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

    No pads or clock buffers are put in: the ports stay as they are. Modules that keep their hierarchy (`rom`)
    are mapped on their own, and made one with the rest at the end. `by_module` maps each module alone
    and joins them then, so that no combinational path runs through several while it is mapped; what
    would be shared between modules is not. `json` and `verilog` name files for the netlist.
    """
    # Without either read_slang joins all modules at once.
    keep = "--keep-hierarchy" if by_module else "--best-effort-hierarchy"
    lines = [
        f"read_slang --threads 1 {keep} --top {top} {' '.join(sources)}",
        # hlsc has chosen look-up tables for these; Yosys would make memories of them, and lose its attribute.
        'setattr -set rom_style "logic" t:$bmux',
        f"{_command(family, by_module)} -top {top}",
        "setattr -mod -unset keep_hierarchy",
        "flatten",
        "opt_clean",
        "stat" if family == "ecp5" else "stat -tech xilinx",
        *([f"write_json {json}"] if json else []),
        *([f"write_verilog -noattr {verilog}"] if verilog else []),
    ]
    return "\n".join([*lines, ""])


def _command(family: str, by_module: bool) -> str:
    if family == "ecp5":
        return "synth_ecp5 -noflatten" if by_module else "synth_ecp5"
    command = f"synth_xilinx -family {family} -noiopad -noclkbuf"
    return command if by_module else f"{command} -flatten"
