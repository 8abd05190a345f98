"""The repository itself: what it promises, what it pins, what it must not hold, what a wheel carries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from thresher.errors import MissingToolError
from thresher.share import share_dir

ROOT = Path(__file__).resolve().parents[1]
TEXT = {".py", ".hpp", ".cpp", ".h", ".sv", ".v", ".tcl", ".md", ".toml", ".txt", ".html", ".json", ""}
# Spelled in halves, since this file is searched as well.
FORBIDDEN = tuple(
    "".join(halves)
    for halves in (
        ("/wo", "rk/"),
        (".lib", "rary/"),
        ("TO", "DO"),
        ("FIX", "ME"),
        ("except ", "Exception"),
        ("allow_pickle=", "True"),
    )
)
# The outermost calls of the two command lines, which turn what nobody foresaw into a line and a file.
OUTERMOST = {
    f"{file}: except Exc" + "eption" for file in ("flow/thresher/cli.py", "rtl_sim/thresher_sim/__main__.py")
}


def files() -> list[Path]:
    """What git tracks, or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    paths = (ROOT / name for name in listed if name)
    return [path for path in paths if path.is_file() and path.suffix in TEXT]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]  # type: ignore[no-any-return]


def test_no_file_holds_what_it_must_not() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in files()
        for text in FORBIDDEN
        if text in path.read_text(encoding="utf-8")
    ]

    assert set(found) == OUTERMOST


def test_every_dependency_is_pinned() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==[\w.]+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    extras = project()["optional-dependencies"].values()
    needed = project()["dependencies"] + [name for extra in extras for name in extra]

    assert {re.split("[<>=]", name)[0] for name in needed} <= pinned


def test_the_changelog_knows_the_version() -> None:
    assert f"[{project()['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_names_only_targets_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = re.findall(r"^    make ([a-z-]+)", readme, re.MULTILINE)

    assert {"demo", "test"} <= set(commands) <= targets


@pytest.mark.parametrize("name", ["hls", "rtl", "rtl_sim"])
def test_a_checkout_shares_its_folders(name: str) -> None:
    assert share_dir(name) == ROOT / name


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(MissingToolError) as error:
        share_dir("nowhere")

    assert str(error.value) == (
        f"install: folder 'nowhere' is missing beside {ROOT}/flow/thresher, "
        "so this installation is incomplete; install thresher again"
    )


def test_a_wheel_carries_what_projects_are_made_of(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")

    hls, rtl, rtl_sim = shared_by(tmp_path / "site")

    assert hls.is_relative_to(tmp_path)
    assert names(hls) == names(ROOT / "hls")
    assert names(rtl) == names(ROOT / "rtl")
    assert names(rtl_sim / "thresher_sim") == names(ROOT / "rtl_sim" / "thresher_sim")


def shared_by(site: Path) -> list[Path]:
    """What `share_dir` gives with the packages in `site`."""
    code = "from thresher.share import share_dir\nfor n in 'hls', 'rtl', 'rtl_sim': print(share_dir(n))"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=True)
    return [Path(line) for line in run.stdout.splitlines()]


def names(folder: Path) -> set[str]:
    """Every file under a folder, but for what Python compiles."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)) for path in paths}
