"""Scripts for the synthesis tools, out of context: they tell size and speed of the accelerator alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thresher.emit.sv_top import TOP
from thresher.emit.yosys import netlist_files


def synthesis_files(sources: Sequence[str], part: str, clock_mhz: float) -> Mapping[str, str]:
    """The files below `synth/`, by name; `sources` are the SystemVerilog files below `rtl/`.

    `part` has been checked to be a plain part number.
    """
    period = 1000 / clock_mhz
    return {
        "yosys.ys": _yosys(sources),
        **netlist_files(TOP, [f"rtl/{source}" for source in sources]),
        "vivado.tcl": _vivado(sources, part),
        "vitis_hls.tcl": _vitis(part, period),
        "quartus.tcl": _quartus(sources),
        "clock.xdc": f"create_clock -period {period:.3f} -name ap_clk [get_ports ap_clk]\n",
        "clock.sdc": f"create_clock -period {period:.3f} -name ap_clk [get_ports ap_clk]\n",
    }


def _yosys(sources: Sequence[str]) -> str:
    files = " ".join(f"rtl/{source}" for source in sources)
    return f"""\
# LUTs, registers and memories for a Xilinx 7-series part. Run from the project: make synth-yosys
read_slang --threads 1 --top {TOP} {files}
synth_xilinx -flatten -noiopad -noclkbuf -top {TOP}
tee -o build/yosys.txt stat -tech xilinx
"""


def _vivado(sources: Sequence[str], part: str) -> str:
    return (
        "# Out-of-context synthesis and implementation. Run from the project: make synth-vivado\n"
        f"create_project -in_memory -part {part}\n"
        + "".join(f"read_verilog -sv rtl/{source}\n" for source in sources)
        + "read_xdc synth/clock.xdc\n"
        + f"synth_design -top {TOP} -part {part} -mode out_of_context -flatten_hierarchy rebuilt\n"
        + "opt_design\nplace_design\nroute_design\n"
        + "file mkdir build\n"
        + "report_utilization -hierarchical -file build/vivado_utilization.txt\n"
        + "report_timing_summary -file build/vivado_timing.txt\n"
    )


def _vitis(part: str, period: float) -> str:
    return f"""\
# Compile hls/ to RTL. Run from the project: make synth-vitis
open_project -reset build/vitis_hls
set_top {TOP}
add_files hls/top.cpp -cflags "-std=c++14 -Ihls -DTHRESHER_AMD -Wno-unknown-pragmas"
open_solution -reset solution
set_part {part}
create_clock -period {period:.3f}
csynth_design
exit
"""


def _quartus(sources: Sequence[str]) -> str:
    return (
        "# Analysis, synthesis and fit. Run from the project: make synth-quartus\n"
        "package require ::quartus::project\n"
        "package require ::quartus::flow\n"
        "file mkdir build\n"
        f"project_new build/{TOP} -overwrite\n"
        f"set_global_assignment -name TOP_LEVEL_ENTITY {TOP}\n"
        'set_global_assignment -name FAMILY "Cyclone V"\n'
        + "".join(
            f"set_global_assignment -name SYSTEMVERILOG_FILE [file normalize rtl/{source}]\n"
            for source in sources
        )
        + "set_global_assignment -name SDC_FILE [file normalize synth/clock.sdc]\n"
        + "execute_flow -compile\n"
        + "project_close\n"
    )
