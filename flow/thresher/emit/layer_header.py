"""The HLS C++ of one layer: its constants and tables as a `Layer`, and the unit that they make."""

from __future__ import annotations

from collections.abc import Iterable

from thresher.ir.hardware import HwNode
from thresher.kernels import Table

NAMESPACE = "layers"


def layer_header_name(node: HwNode) -> str:
    """The header's path below the project's `hls`."""
    return f"layers/{node.name}.hpp"


def unit_type(node: HwNode) -> str:
    """The C++ type of the node's unit."""
    return f"{NAMESPACE}::{node.name}"


def layer_header(node: HwNode) -> str:
    """The text of the header; the same node gives the same text."""
    tables = node.kernel.tables()
    namespace = node.kernel.namespace()
    guard = f"LAYERS_{node.name.upper()}_HPP"
    lines = [
        f"// {node.name}: {describe(node)}.",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        f'#include "{namespace}/{node.kernel.kernel_name()}.hpp"',
        "",
        f"namespace {NAMESPACE} {{",
        "",
        *(line for name, table in tables.items() for line in _table(f"{node.name}_{name}", table)),
        f"struct {node.name}_layer {{",
        *(_constant(namespace, name, value) for name, value in node.kernel.constants().items()),
        *(_accessor(node.name, name, table) for name, table in tables.items()),
        "};",
        "",
        f"using {node.name} = {namespace}::{node.kernel.unit_class()}<{node.name}_layer>;",
        "",
        f"}}  // namespace {NAMESPACE}",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def describe(node: HwNode) -> str:
    """One phrase about a unit: kernel, streams, folding, cycles."""
    kernel = node.kernel
    target = kernel.output_layout
    sources = " + ".join(f"{source.channels} x {source.element}" for source in kernel.input_layouts)
    copies = f"{kernel.output_count} times " if kernel.output_count > 1 else ""
    return (
        f"{kernel.kernel_name()}, {sources} -> {copies}{target.channels} x "
        f"{target.element}, PE {kernel.folding.pe}, SIMD {kernel.folding.simd}, "
        f"{kernel.cycles_per_frame} cycles per frame"
    )


def _constant(namespace: str, name: str, value: int | bool | str) -> str:
    if isinstance(value, bool):
        return f"  static constexpr bool {name} = {'true' if value else 'false'};"
    if isinstance(value, int):
        return f"  static constexpr int {name} = {value};"
    kind = value.partition("::")[0]
    return f"  static constexpr {namespace}::{kind} {name} = {namespace}::{value};"


def _accessor(node_name: str, name: str, table: Table) -> str:
    _, depth, words = table.words.shape
    return (
        f"  static const std::uint64_t (&{name}(int lane))[{depth}][{words}] "
        f"{{ return {node_name}_{name}[lane]; }}"
    )


def _table(name: str, table: Table) -> Iterable[str]:
    lanes, depth, words = table.words.shape
    yield f"// {lanes} tables of {depth} words of {table.width} bits, 64 bits an entry, lowest first."
    yield f"static const std::uint64_t {name}[{lanes}][{depth}][{words}] = {{"
    for lane in table.words:
        yield "    {"
        for word in lane:
            yield "        {" + ", ".join(f"{int(part):#x}" for part in word) + "},"
        yield "    },"
    yield "};"
    yield ""
