"""The sections of the performance page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.figures import FINN, TARGETS, Figure, Peer, Read, Section, named
from bench.peers import XNOR_MACS
from thresher.kernels.parts import COSTS


def _unit(name: str) -> Read:
    def read(content: Any) -> str:
        return _cells(named(content["units"], "unit", name)["ours"])

    return read


def _cells(size: Mapping[str, Any]) -> str:
    return f"{size['logic_cells']:,} logic cells ({size['lut']:,} LUT, {size['ff']:,} FF)"


def _matrix(content: Any) -> str:
    size = named(content["units"], "unit", "mvu_pe32_simd32_block")["ours"]
    each = size["logic_cells"] / XNOR_MACS
    return f"{each:.2f} logic cells for each XNOR-MAC, {size['bram36']:g} BRAM36; {_cells(size)}"


def _network(name: str) -> Read:
    def read(content: Any) -> str:
        found = named(content["networks"], "name", name)
        return f"{_cells(found)}, {found['bram36']:g} BRAM36, {found['dsp']} DSP"

    return read


def _latency(content: Any) -> str:
    best, *others = sorted(content["latencies"], key=lambda each: int(each["cycles"]))
    return "; ".join(
        f"{each['cycles']:,} cycles, pipelined for {each['clock_mhz']:g} MHz, "
        f"{each['macs_per_cycle']:,} multiply-accumulates a cycle"
        for each in (best, *others)
    )


def _routed(content: Any) -> str:
    routed = content["routed"]
    return f"{routed['fmax_mhz']:.1f} MHz, {routed['mismatches']} mismatches in {routed['frames']} frames"


def _cost(content: Any) -> str:
    error = content["lut_error"]
    return (
        f"median {error['median']:.1%}, 90th percentile {error['percentile_90']:.1%}, {error['units']} units"
    )


def _speed(name: str) -> Read:
    def read(content: Any) -> str:
        return f"{content['frames_per_second'][name]:,.0f} frames/s"

    return read


def _target(text: str) -> tuple[Peer, ...]:
    return (Peer(text, TARGETS),)


UNITS = Section(
    "Units",
    "By Yosys, `synth_xilinx -family xc7`, flattened, out of context, pipelined for 200 MHz.",
    (
        Figure(
            "MVU, 1 bit x 1 bit, 256 x 256, PE 32, SIMD 32, a threshold for each row, weights in block RAM",
            _target("2.88 LUT for each XNOR-MAC and 32 BRAM (HLS); 2.09 and 16 BRAM (RTL)"),
            "<= 1.5, <= 16 BRAM36",
            "peers.json",
            "python -m bench.peers",
            _matrix,
        ),
        Figure(
            "threshold, 64 channels, PE 4, 8 bit to 2 bit",
            _target("136 LUT"),
            "fewer",
            "peers.json",
            "python -m bench.peers",
            _unit("threshold_pe4"),
        ),
        Figure(
            "sliding window 3 x 3, 32 x 32 x 64 bipolar, SIMD 16",
            _target("235 LUT and 30 RAM64M (355 LUT)"),
            "fewer",
            "peers.json",
            "python -m bench.peers",
            _unit("swg_simd16"),
        ),
        Figure(
            "width converter, 16 to 64 bit",
            _target("27 LUT"),
            "fewer",
            "peers.json",
            "python -m bench.peers",
            _unit("width_converter_16_to_64"),
        ),
    ),
)

NETWORKS = Section(
    "Whole networks",
    "By Yosys, `synth_xilinx -family xc7`, flattened; latency in RTL simulation; routed by nextpnr.",
    (
        Figure(
            "TFC_1W1A, 64 cycles per frame, uint8 input",
            _target("8,502 LUT and 26 BRAM18 (estimate)"),
            "< 3,500 LUT, no BRAM",
            "networks.json",
            "python -m bench.networks",
            _network("tfc"),
        ),
        Figure(
            "CNV 1w1a, 32,768 cycles per frame",
            _target("23,159 LUT and 147 BRAM18 (estimate); 21,135 LUT and 98 BRAM36 (measured on a board)"),
            "< 10,000 LUT, <= 70 BRAM36",
            "networks.json",
            "python -m bench.networks",
            _network("cnv"),
        ),
        Figure(
            "SFC, 784-256-256-256-10, 1 bit, 16 cycles per frame: latency",
            (Peer("0.31 us, at 200 MHz 62 cycles", FINN),),
            "<= 40 cycles",
            "networks.json",
            "python -m bench.networks",
            _latency,
        ),
        Figure(
            "the demo's digits network, routed for ECP5-85F",
            (),
            ">= 150 MHz, 0 mismatches of the netlist",
            "networks.json",
            "python -m bench.networks",
            _routed,
        ),
    ),
)

COST_MODEL = Section(
    "Cost model",
    "LUTs that a report states against Yosys', on units that were not used for the fit (`bench/cost`).",
    (
        Figure(
            "error of the estimated LUTs",
            (),
            "median <= 10 %, 90th percentile <= 25 %",
            str(COSTS),
            "python -m bench.cost",
            _cost,
        ),
    ),
)

SPEED = Section(
    "Speed of simulation",
    "Of TFC_1W1A on MNIST where both are at hand, else of the demo's network.",
    tuple(
        Figure(name, (), "", "bench.json", "python -m bench", _speed(name))
        for name in ("golden model", "C simulation", "RTL simulation", "qonnx executor")
    ),
)

SECTIONS = (UNITS, NETWORKS, COST_MODEL, SPEED)
