"""`project.json`: all that a script needs to know of a project, and `reports/report.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from thresher.emit.design import Design
from thresher.emit.sv_top import TOP
from thresher.hardware.fifos import fifo_resources
from thresher.hardware.next_step import NextStep
from thresher.hardware.parts import known_size
from thresher.hlsc import CompiledUnit
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwNode, stream_layouts
from thresher.ir.integer import IntDepthwise, IntMatMul, IntNode, IntThreshold
from thresher.kernels import Resources
from thresher.kernels.parts import fit_error
from thresher.timing.network import Timing

SCHEMA = 1


def describe_project(
    design: Design, timing: Timing, units: Mapping[str, CompiledUnit], digests: Mapping[str, str]
) -> dict[str, object]:
    """The content of `project.json`; `digests` are those of `hls/` and `model/`."""
    return {
        "schema": SCHEMA,
        "name": design.model.name,
        "top": TOP,
        "clock_mhz": design.clock_mhz,
        "part": design.part,
        "board": None if design.board is None else design.board.name,
        "model_sha256": design.model.sha256,
        **digests,
        "streams": _streams(design, timing),
        "layers": [_layer(node) | {"stages": units[node.name].stages} for node in design.graph.nodes],
        "input": design.lowered.input.to_json(),
        "output": design.lowered.output.to_json(),
        "estimate": {
            "cycles_per_frame": timing.cycles_per_frame,
            "latency_cycles": timing.latency_cycles,
            "settled_frames": timing.settled_frames,
        },
    }


def describe_report(
    design: Design, timing: Timing, units: Mapping[str, CompiledUnit], faster: NextStep | None
) -> dict[str, object]:
    """The content of `reports/report.json` before anything was simulated.

    `occupancy` of a FIFO is the most beats that it holds by its depth's token-level simulation, and
    `rtl_occupancy` the most in the last RTL simulation, null where ends stalled or there was none.
    `lut_error` says how far estimates of single units are from Yosys'.
    `settled_frames` of the estimate are the frames after which rate and occupancy are steady.
    `approximations` are the ONNX nodes that fixed point computes, with their errors in the model's units.
    """
    nodes = design.graph.nodes
    weights = sum(_weights(node) for node in design.lowered.graph.nodes)
    weight_bits = sum(node.kernel.weight_bits for node in nodes)
    layouts = stream_layouts(design.graph)
    fifos = {name: fifo_resources(layout.width, timing.depths[name]) for name, layout in layouts.items()}
    total = sum([*(node.kernel.resources() for node in nodes), *fifos.values()], Resources())
    return {
        "schema": SCHEMA,
        "model": {
            "name": design.model.name,
            "sha256": design.model.sha256,
            "dropped": list(design.model.dropped),
            "parameters": weights,
            "weight_bits": weight_bits,
            "float32_bytes": 4 * weights,
            "packed_bytes": -(-weight_bits // 8),
        },
        "clock_mhz": design.clock_mhz,
        "part": design.part,
        "part_resources": _part_resources(design.part),
        "layers": [_report_layer(node, units[node.name]) for node in nodes],
        "fifos": [
            _fifo(name, timing, layouts[name].width) | {"resources": _resources(cost)}
            for name, cost in fifos.items()
        ],
        "estimate": {
            "cycles_per_frame": timing.cycles_per_frame,
            "bottleneck": timing.bottleneck,
            "latency_cycles": timing.latency_cycles,
            "settled_frames": timing.settled_frames,
            "frames_per_second": design.clock_mhz * 1e6 / timing.cycles_per_frame,
            "resources": _resources(total),
            "lut_error": asdict(fit_error()),
            "next_step": _next_step(faster),
        },
        "ties": {
            node.name: node.ties for node in design.lowered.graph.nodes if isinstance(node, IntThreshold)
        },
        "simulation": {},
        "approximations": [each.to_json() for each in design.lowered.approximations],
        "float_layers": dict(design.float_layers),
        "accuracy": dict(design.accuracy),
        "verification": dict(design.verification),
        "host_layers": [layer.to_json() for layer in design.host_layers],
        "warnings": list(design.warnings),
        "synthesis": [],
    }


def _weights(node: IntNode) -> int:
    """Weights of a layer; filters of ones only are sums, as of an average."""
    if isinstance(node, IntMatMul):
        return node.weights.size
    return node.weights.size if isinstance(node, IntDepthwise) and (node.weights != 1).any() else 0


def _part_resources(part: str) -> dict[str, int] | None:
    size = known_size(part)
    return None if size is None else {"lut": size.lut, "bram36": size.bram36, "dsp": size.dsp}


def _fifo(stream: str, timing: Timing, width: int) -> dict[str, object]:
    depth = timing.depths[stream]
    return {
        "stream": stream,
        "depth": depth,
        "bits": depth * width,
        "occupancy": timing.occupancy[stream],
        "rtl_occupancy": None,
    }


def _streams(design: Design, timing: Timing) -> list[dict[str, object]]:
    nodes = design.graph.nodes
    producers = {name: node.name for node in nodes for name in node.outputs}
    consumers = {name: node.name for node in nodes for name in node.inputs}
    ports = {
        name: {"consumer_port": port}
        for node in nodes
        if len(node.inputs) > 1
        for name, port in zip(node.inputs, node.kernel.input_ports, strict=True)
    }
    roles = {INPUT_STREAM: "input", OUTPUT_STREAM: "output"}
    return [
        {
            "name": name,
            "role": roles.get(name, "internal"),
            "producer": producers.get(name),
            "consumer": consumers.get(name),
            **ports.get(name, {}),
            "depth": timing.depths[name],
            "occupancy": timing.occupancy[name],
            **layout.to_json(),
        }
        for name, layout in stream_layouts(design.graph).items()
    ]


def _layer(node: HwNode) -> dict[str, object]:
    kernel = node.kernel
    return {
        "name": node.name,
        "kernel": kernel.kernel_name(),
        "onnx_nodes": list(node.onnx_nodes),
        "pe": kernel.folding.pe,
        "simd": kernel.folding.simd,
        "cycles_per_frame": kernel.cycles_per_frame,
    }


def _report_layer(node: HwNode, unit: CompiledUnit) -> dict[str, object]:
    kernel = node.kernel
    elements = [layout.element for layout in kernel.input_layouts]
    return _layer(node) | {
        "macs_per_frame": kernel.macs_per_frame,
        "weight_bits": kernel.weight_bits,
        "input_bits": max(element.bits for element in elements),
        "output_bits": kernel.output_layout.element.bits,
        "input_type": " + ".join(map(str, dict.fromkeys(elements))),
        "output_type": str(kernel.output_layout.element),
        "stages": unit.stages,
        "resources": _resources(kernel.resources()),
    }


def _next_step(step: NextStep | None) -> dict[str, object] | None:
    if step is None:
        return None
    return {
        "cycles_per_frame": step.cycles_per_frame,
        "resources": _resources(step.more),
        "layers": list(step.layers),
    }


def _resources(cost: Resources) -> dict[str, float]:
    return {"lut": cost.lut, "ff": cost.ff, "bram36": cost.bram36, "dsp": cost.dsp}
