"""`hls/reference.cpp`: the program that runs a unit's C++ step by step on the bench's beats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from thresher.hlsc.beats import cpp_arguments
from thresher.hlsc.frontend.layout import Port


def reference_program(header: PurePosixPath, type_name: str, ports: Sequence[Port]) -> str:
    """The text, for a unit that `header`, a path from `hls/`, defines; `ports` in declared order."""
    inputs = [port for port in ports if port.is_input]
    outputs = [port for port in ports if not port.is_input]
    kinds = {port.name: cpp_arguments(port.width, port.signals) for port in ports}
    taps = [f'  thresher::Tap<{kinds[port.name]}> tap_{port.name}("{port.name}");' for port in ports]
    plays = [f"  tap_{port.name}.play(run.input(), run.replay());" for port in inputs]
    answers = [f"  tap_{port.name}.answer(run.replay());" for port in outputs]
    streams = [f"      thresher::{_kind(port)}<{kinds[port.name]}>(tap_{port.name})," for port in ports]
    records = [f"  tap_{port.name}.record(run.output());" for port in outputs]
    return "\n".join(
        [
            "// Runs the unit alone, step by step; see step_run.hpp. The bench compiles and calls it.",
            f'#include "{header}"',
            "",
            '#include "thresher/step_run.hpp"',
            "",
            f"using Unit = {type_name};",
            "",
            "int main(int argc, char** argv) {",
            "  thresher::StepRun run(argc, argv);",
            *taps,
            *plays,
            *answers,
            "  Unit::Ports ports{",
            *streams,
            "  };",
            "  static Unit unit;",
            f"  run.steps({', '.join(['unit', 'ports', *(f'tap_{port.name}' for port in ports)])});",
            *records,
            f"  run.report({', '.join(f'tap_{port.name}' for port in inputs)});",
            "}",
            "",
        ]
    )


def _kind(port: Port) -> str:
    return "InStream" if port.is_input else "OutStream"
