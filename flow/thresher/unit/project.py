"""Write a unit's project: its SystemVerilog, its C++, a report, a bench."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from thresher.emit.files import write_json, write_text
from thresher.emit.own_files import keep_own_files
from thresher.emit.replacing import replacing
from thresher.errors import UsageError
from thresher.hardware.parts import DEFAULT_PART, family_of
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.hlsc.ports import declared_ports
from thresher.hlsc.uninitialised import check_locals, unoptimised
from thresher.hlsc.zero_divisors import zero_divisor_warnings
from thresher.share import share_dir
from thresher.unit.documents import MAKEFILE, readme, report_text
from thresher.unit.headers import HeaderTree, header_tree
from thresher.unit.names import check_header, check_type_name, module_name
from thresher.unit.reference import reference_program
from thresher_sim.unit import MARKER, SCHEMA, headers_digest

STIMULUS = "stimulus"


@dataclass(frozen=True)
class UnitRequest:
    """What to compile: the class `type_name` that `header` defines, for a clock on a part.

    `name` is that of the SystemVerilog module; where it is None it is made from the class.
    """

    header: Path
    type_name: str
    clock_mhz: float
    part: str = DEFAULT_PART
    name: str | None = None
    include_dirs: tuple[Path, ...] = ()

    @property
    def source(self) -> UnitSource:
        """The unit as hlsc takes it."""
        return UnitSource(self.header, self.type_name, (*self.include_dirs, share_dir("hls")))


def write_unit_project(request: UnitRequest, target: Path, force: bool = False) -> CompiledUnit:
    """Compile a unit and write its project to the folder `target`, whole or not at all.

    The same request gives byte-identical files. An earlier project of a unit there is replaced, but
    for the user's own files, as those in `stimulus/`.

    Raises:
        UsageError: the request cannot be, or `target` exists and is not a unit's project, or without
            `force` one whose files were edited; or it cannot be written.
        UnsupportedUnitError: the C++ cannot become hardware.
        ToolFailedError: clang refuses the C++.
        MissingToolError: there is no clang.
    """
    check_type_name(request.type_name)
    check_header(request.header)
    for folder in request.include_dirs:
        if not folder.is_dir():
            raise UsageError(f"hlsc: there is no folder '{folder}' to include from; mend -I")
    name = module_name(request.type_name, request.name)
    family = family_of(request.part, "hlsc")
    with replacing(target, MARKER, "hlsc", force) as folder:
        unit = compile_unit(request.source, name, request.clock_mhz, family, alone=True)
        plain = unoptimised(request.source)
        check_locals(request.source, plain)
        more = zero_divisor_warnings(request.source, plain)
        unit = replace(unit, warnings=(*unit.warnings, *more))
        headers = header_tree(request.source)
        _write_cpp(request, headers, folder / "hls")
        # Those among the C++ count in its digest.
        keep_own_files(target, folder, "hlsc", force, below="hls")
        _write_rtl(unit, folder / "rtl")
        shutil.copytree(
            share_dir("rtl_sim") / "thresher_sim", folder / "sim" / "thresher_sim", ignore=_compiled
        )
        _write_documents(request, unit, headers, folder)
        if not (target / STIMULUS).is_dir():
            (folder / STIMULUS).mkdir()
    return unit


def unit_report(request: UnitRequest, unit: CompiledUnit) -> dict[str, object]:
    """The content of `report.json`."""
    return {"type": request.type_name, "part": request.part, **unit.report()}


def _write_cpp(request: UnitRequest, headers: HeaderTree, hls: Path) -> None:
    shutil.copytree(share_dir("hls") / "thresher", hls / "thresher")
    headers.copy(hls)
    ports = declared_ports(request.source)
    write_text(hls / "reference.cpp", reference_program(headers.header, request.type_name, ports))


def _write_rtl(unit: CompiledUnit, rtl: Path) -> None:
    write_text(rtl / f"{unit.module_name}.sv", unit.verilog)
    for cell in unit.cells:
        shutil.copyfile(share_dir("rtl") / f"{cell}.sv", rtl / f"{cell}.sv")
    files = [*unit.cells, unit.module_name]
    write_text(rtl / "files.f", "".join(f"{file}.sv\n" for file in files))


def _write_documents(request: UnitRequest, unit: CompiledUnit, headers: HeaderTree, folder: Path) -> None:
    report = unit_report(request, unit)
    write_json(folder / "report.json", report)
    text = readme(unit.module_name, request.type_name, str(headers.header), report_text(report))
    write_text(folder / "README.md", text)
    write_text(folder / "Makefile", MAKEFILE)
    description = {
        "schema": SCHEMA,
        "module": unit.module_name,
        "type": request.type_name,
        "header": str(headers.header),
        "clock_mhz": unit.clock_mhz,
        "part": request.part,
        "stages": unit.stages,
        "inputs": unit.bits(unit.inputs),
        "outputs": unit.bits(unit.outputs),
        "asked": list(unit.asked),
        "kept": list(unit.kept),
        "include_dirs": [f"hls/{path}" for path in headers.include_dirs],
        "hls_sha256": headers_digest(folder / "hls"),
    }
    write_json(folder / MARKER, description)


_compiled = shutil.ignore_patterns("__pycache__", "*.pyc")
