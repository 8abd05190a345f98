"""Every block of `docs/units.md` is run: whole units are compiled, the rest is the example's own code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from thresher import cli
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.share import share_dir
from thresher.unit import UnitRequest, write_unit_project
from thresher_sim.compile import compile_program

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "custom_unit"
TEXT = (ROOT / "docs" / "units.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
UNITS = {
    name: text
    for language, text in BLOCKS
    if language == "cpp" and text.startswith("#include")
    for name in re.findall(
        r"^struct (\w+) \{\n(?:  using .*\n\n)?  struct Ports|^using (\w+) = \w+::\w+<", text, re.MULTILINE
    )
    for name in name
    if name
}
"""The text of each whole unit, by its class."""

EXCERPTS = [text for language, text in BLOCKS if not text.startswith("#include")]


def compiled(folder: Path, name: str) -> CompiledUnit:
    header = folder / f"{name}.hpp"
    header.write_text(UNITS[name])
    return compile_unit(UnitSource(header, name, (share_dir("hls"), EXAMPLE / "src")), name, 100.0)


def test_the_page_holds_what_is_tested() -> None:
    assert list(UNITS) == [
        "Leaky",
        "Halves",
        "TakeTurns",
        "Packets",
        "Queue",
        "Sampler",
        "LargestOfFour",
        "Square",
        "Delay",
        "Rename",
        "LowPass",
        "Polar",
        "Total",
        "TotalInWords",
        "SignalFilter",
    ]
    assert len(EXCERPTS) == 9


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_becomes_hardware_and_a_program(name: str, tmp_path: Path) -> None:
    header, project = tmp_path / f"{name}.hpp", tmp_path / "project"
    header.write_text(UNITS[name])

    write_unit_project(UnitRequest(header, name, 100.0, include_dirs=(EXAMPLE / "src",)), project)

    report = json.loads((project / "report.json").read_text())
    assert report["warnings"] == []
    folders = json.loads((project / "unit.json").read_text())["include_dirs"]
    includes = [project / "hls", *(project / folder for folder in folders)]
    assert compile_program(project / "hls" / "reference.cpp", includes, tmp_path / "cache").is_file()


@pytest.mark.parametrize("text", EXCERPTS, ids=lambda text: text.strip().splitlines()[0])
def test_an_excerpt_is_the_example_s_code(text: str) -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.suffix in {".py", ".hpp", ".toml"}]

    assert [path.name for path in files if text in path.read_text(encoding="utf-8")] != []


def test_two_words_make_the_recurrence_shorter(tmp_path: Path) -> None:
    whole, words = (compiled(tmp_path, name) for name in ("Total", "TotalInWords"))

    assert whole.recurrence is not None
    assert words.recurrence is not None
    assert words.recurrence.delay_ns < whole.recurrence.delay_ns


def test_the_commands_for_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = re.findall(r"^    thresher (hlsc .*)$", TEXT, re.MULTILINE)
    assert len(commands) == 2
    (tmp_path / "leaky.hpp").write_text(UNITS["Leaky"])
    (tmp_path / "signal.hpp").write_text(UNITS["SignalFilter"])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)

    for command in commands:
        assert cli.main(command.split()) == 0

    assert (tmp_path / "leaky" / "rtl" / "Leaky.sv").is_file()
    assert (tmp_path / "signal" / "rtl" / "SignalFilter.sv").is_file()


def test_the_report_has_the_entries_that_the_page_explains(tmp_path: Path) -> None:
    table = TEXT.split("What the report says:\n\n")[1].split("\n\n")[0]
    explained = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))

    assert set(explained) <= set(compiled(tmp_path, "Leaky").report())
    assert {"stages", "recurrence", "memories", "warnings"} <= set(explained)
