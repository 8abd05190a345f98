"""Which C++ a project's SystemVerilog was compiled from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from .errors import UsageError
from .project import Project


def hls_digest(hls: Path, layers: Sequence[str]) -> str:
    """SHA-256 over the C++ that the units of `layers` are compiled from: their headers and the libraries."""
    digest = hashlib.sha256()
    libraries = (path for path in hls.glob("*/*.hpp") if path.parent.name != "layers")
    files = [*sorted(libraries), *(hls / "layers" / f"{name}.hpp" for name in layers)]
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(hls).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def units_digest(project: Project) -> str:
    """SHA-256 over the units as they are: their C++, and all SystemVerilog of the project."""
    digest = hashlib.sha256(
        hls_digest(project.root / "hls", [layer.name for layer in project.layers]).encode()
    )
    for path in sorted((project.root / "rtl").glob("*.sv")):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def is_fresh(project: Project) -> bool:
    """Whether `rtl/` was compiled from `hls/` as it is; true where the project does not say from what."""
    if project.hls_sha256 is None:
        return True
    return hls_digest(project.root / "hls", [layer.name for layer in project.layers]) == project.hls_sha256


def check_fresh(project: Project) -> None:
    """Do nothing if `rtl/` is compiled from `hls/` as it is.

    Raises:
        UsageError: the C++ has changed since.
    """
    if not is_fresh(project):
        raise UsageError(
            f"sim: project '{project.name}': hls/ has changed since rtl/ was compiled from it; compile it "
            "again with `thresher sim`, or build the project again"
        )
