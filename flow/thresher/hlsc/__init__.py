"""hlsc, the HLS compiler: a unit in C++ to a pipelined SystemVerilog module.

A unit is a class with members (its state), nested `Ports` of `InStream` and `OutStream`, and
`void step(Ports&)`, one cycle's work. hlsc knows nothing of networks.
"""

from thresher.hlsc.clang import UnitSource
from thresher.hlsc.compiler import CompiledUnit, MemoryUse, compile_unit
from thresher.hlsc.diagnosis import RecurrenceUse
from thresher.hlsc.refusal import UnsupportedUnitError

__all__ = ["CompiledUnit", "MemoryUse", "RecurrenceUse", "UnitSource", "UnsupportedUnitError", "compile_unit"]
