"""The streams of a unit in the order in which its `Ports` declares them."""

from __future__ import annotations

from thresher.hlsc.clang import UnitSource, emit_llvm
from thresher.hlsc.frontend.layout import Port, unit_layout
from thresher.hlsc.llvm.debug_info import DebugInfo
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.refusal import UnsupportedUnitError


def declared_ports(source: UnitSource) -> tuple[Port, ...]:
    """All streams of a unit, used or not; what constructs a `Ports` gives them in this order.

    Raises:
        As `emit_llvm`, and `UnsupportedUnitError` for a name that SystemVerilog cannot have.
    """
    module = parse(emit_llvm(source).text)
    try:
        return unit_layout(DebugInfo(module.metadata), module.functions["thresher_step"]).ports
    except UnsupportedUnitError as error:
        raise error.of(source.type_name) from error
