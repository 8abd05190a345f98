"""A project is replaced in one step, around the user's own files, whatever happens meanwhile."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import Mock

import pytest

from thresher.emit import replacing as module
from thresher.emit.manifest import read_manifest
from thresher.emit.own_files import keep_own_files
from thresher.emit.replacing import replacing, restore
from thresher.errors import UsageError

DESCRIPTION = json.dumps({"schema": 1, "streams": [], "layers": []})
FILES = {"project.json": DESCRIPTION, "rtl/top.sv": "top", "rtl/old.sv": "old", "reports/report.json": "{}"}


def build(target: Path, files: Mapping[str, str] = FILES, force: bool = False) -> None:
    """Write a project of these files."""
    with replacing(target, force=force) as folder:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


def refusal(target: Path, files: Mapping[str, str] = FILES) -> str:
    """Why the project is not written; what is there stays as it is, and nothing else comes to be."""
    before = tree(target.parent)
    with pytest.raises(UsageError) as caught:
        build(target, files)
    assert tree(target.parent) == before
    return str(caught.value)


def tree(folder: Path) -> dict[str, str]:
    """Each file with its text, each link with what it names, each folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = f"-> {path.readlink()}" if path.is_symlink() else "" if path.is_dir() else path.read_text()
        found[str(path.relative_to(folder))] = content
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    target = tmp_path / "über alles" / "acc 1"
    build(target)
    return target


def test_own_files_stay_with_all_that_they_are(project: Path) -> None:
    (project / "run.sh").write_text("mine")
    (project / "run.sh").chmod(0o750)
    (project / "rtl" / "bench.sv").write_text("mine")
    (project / "rtl" / "link").symlink_to("../nowhere")
    (project / "stimulus" / "empty").mkdir(parents=True)
    (project / "stimulus").chmod(0o500)
    (project / "build" / "notes").mkdir(parents=True)
    (project / "build" / "notes" / "a.txt").write_text("mine")
    project.chmod(0o700)

    build(project, {**FILES, "rtl/top.sv": "new"})

    assert (project / "rtl" / "top.sv").read_text() == "new"
    assert (project / "run.sh").read_text() == (project / "rtl" / "bench.sv").read_text() == "mine"
    assert (project / "build" / "notes" / "a.txt").read_text() == "mine"
    assert (project / "rtl" / "link").readlink() == Path("../nowhere")
    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (project, project / "run.sh", project / "stimulus")
    ]
    assert modes == [0o700, 0o750, 0o500]
    assert (project / "stimulus" / "empty").is_dir()
    assert [path.name for path in project.parent.iterdir()] == [project.name]


def test_files_of_the_old_project_go_and_so_does_what_tools_made_of_it(project: Path) -> None:
    made = (
        *("build/csim/a/csim", "build/synth/.yosys.x1/a", "build/run-ab12/x", "build/netlist_xc7.v"),
        *("reports/report.html", "reports/evaluation.png", "sim/__pycache__/a.pyc", "rtl/.top.sv.123"),
    )
    for name in made:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("made")

    build(project, {name: text for name, text in FILES.items() if name != "rtl/old.sv"})

    files = {name for name in tree(project) if (project / name).is_file()}
    assert files == {"project.json", "manifest.json", "rtl/top.sv", "reports/report.json"}


def test_edits_are_named_and_refused_unless_forced(project: Path) -> None:
    for name in ("rtl/top.sv", "rtl/old.sv"):
        (project / name).write_text("edited")

    assert refusal(project) == (
        f"build: files of project '{project}' were edited since Thresher wrote them: 'rtl/old.sv', "
        "'rtl/top.sv'; copy what you need and give --force to replace them, or give another folder with -o"
    )
    build(project, force=True)
    assert (project / "rtl" / "top.sv").read_text() == "top"


def test_many_edits_are_counted(tmp_path: Path) -> None:
    files = {"project.json": DESCRIPTION, **{f"rtl/{index}.sv": "" for index in range(9)}}
    build(tmp_path / "out", files)
    for index in range(9):
        (tmp_path / "out" / "rtl" / f"{index}.sv").write_text("edited")

    names = "'rtl/0.sv', 'rtl/1.sv', 'rtl/2.sv', 'rtl/3.sv', 'rtl/4.sv' and 4 more; copy"
    assert names in refusal(tmp_path / "out", files)


def test_an_edit_during_the_build_is_not_lost(project: Path) -> None:
    def edit_meanwhile() -> None:
        with replacing(project) as folder:
            (folder / "project.json").write_text(DESCRIPTION)
            (project / "rtl" / "top.sv").write_text("edited")

    with pytest.raises(UsageError, match="were edited since"):
        edit_meanwhile()
    assert (project / "rtl" / "top.sv").read_text() == "edited"


def test_what_was_removed_or_is_written_by_later_commands_is_no_edit(project: Path) -> None:
    (project / "rtl" / "top.sv").unlink()
    (project / "reports" / "report.json").write_text('{"simulation": 1}')

    build(project)

    assert (project / "rtl" / "top.sv").read_text() == "top"
    assert (project / "reports" / "report.json").read_text() == "{}"


@pytest.mark.parametrize(("own", "new"), [("rtl/new.sv", "rtl/new.sv"), ("new", "new/a"), ("new/a", "new")])
def test_an_own_file_in_the_way_is_named_and_refused_unless_forced(project: Path, own: str, new: str) -> None:
    (project / own).parent.mkdir(exist_ok=True)
    (project / own).write_text("mine")

    assert refusal(project, {**FILES, new: "new"}) == (
        f"build: files of yours in project '{project}' are where new ones of Thresher's must go: '{own}'; "
        "move them, or give --force to replace them"
    )
    build(project, {**FILES, new: "new"}, force=True)
    assert (project / new).read_text() == "new"


def test_an_own_file_that_equals_the_new_one_is_not_in_the_way(project: Path) -> None:
    (project / "rtl" / "new.sv").write_text("new")
    build(project, {**FILES, "rtl/new.sv": "new"})
    build(project)
    assert not (project / "rtl" / "new.sv").exists()


def test_a_project_without_a_manifest_is_replaced_by_force_but_for_what_lies_beside(project: Path) -> None:
    (project / "manifest.json").unlink()
    (project / "notes.txt").write_text("mine")
    (project / "rtl" / "stale.sv").write_text("whose?")

    assert refusal(project) == (
        f"build: project '{project}' has no manifest.json that tells Thresher's files from yours (an older "
        "version wrote it); give --force to replace all in its folders, or give another folder with -o"
    )
    build(project, force=True)
    assert (project / "notes.txt").read_text() == "mine"
    assert not (project / "rtl" / "stale.sv").exists()


def test_a_damaged_description_does_not_make_it_another_program_s(project: Path) -> None:
    (project / "project.json").write_text("{")
    build(project, force=True)
    assert (project / "project.json").read_text() == DESCRIPTION


def test_a_project_in_a_project_is_refused(project: Path) -> None:
    assert refusal(project / "rtl" / "inner") == (
        f"build: folder '{project}/rtl/inner' lies in the Thresher project '{project}'; give a folder "
        "outside of it with -o"
    )


def test_a_mount_point_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container has them for its results."""
    monkeypatch.setattr(os.path, "ismount", lambda path: path == tmp_path / "out")
    (tmp_path / "out").mkdir()
    assert refusal(tmp_path / "out") == (
        f"build: folder '{tmp_path}/out' is a mount point, which cannot be replaced; give a folder in it "
        f"with -o, such as '{tmp_path}/out/project'"
    )


def test_another_program_s_project_is_left_alone_and_may_hold_one(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "project.json").write_text('{"name": "web", "targets": {}}')
    assert refusal(other) == (
        f"build: folder '{other}' exists and is not a Thresher project (its project.json is not of "
        "Thresher's); give another folder with -o, or empty it"
    )
    build(other / "inner")
    assert tree(other / "inner").keys() >= FILES.keys()


def test_of_two_builds_at_once_the_second_is_refused(project: Path) -> None:
    with replacing(project) as folder:
        (folder / "project.json").write_text(DESCRIPTION)
        assert refusal(project) == (
            f"build: another build is writing '{project}'; wait for it, or give another folder with -o"
        )
    assert tree(project).keys() == {"project.json", "manifest.json"}
    assert [path.name for path in project.parent.iterdir()] == [project.name]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
    ],
)
def test_a_full_disk_is_said_and_the_old_project_stays(project: Path, error: OSError) -> None:
    def fill() -> None:
        with replacing(project) as folder:
            (folder / "half").write_text("half")
            raise error

    before = tree(project.parent)
    with pytest.raises(UsageError) as caught:
        fill()
    assert str(caught.value) == (
        f"build: project '{project}' cannot be written (No space left on device); free space there and in "
        f"'{tempfile.gettempdir()}', or give another folder with -o"
    )
    assert tree(project.parent) == before


def test_what_a_killed_build_left_goes_with_the_next_and_nothing_else_does(project: Path) -> None:
    other = project.with_name(f".{project.name}.backup")
    other.mkdir()
    left = project.with_name(f".{project.name}.thresher-build")
    (left / "project" / "rtl").mkdir(parents=True)
    (left / "lock").touch()

    build(project)

    assert sorted(path.name for path in project.parent.iterdir()) == [other.name, project.name]


def test_a_folder_of_the_user_s_is_not_taken_for_what_a_build_left(project: Path) -> None:
    own = project.with_name(f".{project.name}.thresher-build")
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    assert refusal(project) == (
        f"build: '{own}' is not what a build of yours left behind, and a build needs its name; move it, or "
        "give another folder with -o"
    )


def test_own_files_are_copied_where_they_cannot_be_linked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    (project / "run.sh").write_text("mine")
    (project / "run.sh").chmod(0o755)
    (project / "link").symlink_to("run.sh")
    monkeypatch.setattr(os, "link", refuse)

    build(project)

    assert (project / "run.sh").read_text() == "mine"
    assert stat.S_IMODE((project / "run.sh").stat().st_mode) == 0o755
    assert (project / "link").readlink() == Path("run.sh")


@pytest.mark.parametrize("links", [True, False])
def test_own_files_that_the_build_itself_needs_stay_however_often(
    links: bool, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own headers count in the digest of the C++, and so have their place before the manifest is written."""
    if not links:
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError(errno.EPERM, "no links")))
    own = project / "hls" / "lib" / "mine.hpp"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    for text in ("one", "two", "three"):
        with replacing(project) as folder:
            (folder / "hls").mkdir()
            for name in ("project.json", "hls/layer.hpp"):
                (folder / name).write_text(DESCRIPTION if name == "project.json" else text)
            keep_own_files(project, folder, below="hls")
        assert own.read_text() == "mine"
        manifest = read_manifest(project)
        assert manifest is not None and sorted(manifest) == ["hls/layer.hpp", "project.json"]


@pytest.mark.parametrize("put_back", [build, restore])
def test_without_an_exchange_a_kill_between_the_renames_loses_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, put_back: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(module, "exchange", lambda *_: False)
    (project / "mine.txt").write_text("mine")
    build(project)
    before = tree(project)
    left = project.with_name(f".{project.name}.thresher-build")
    (left / "project").mkdir(parents=True)
    project.rename(left / "old")

    put_back(project)

    assert tree(project) == before
    build(project)
    assert tree(project.parent).keys() == {project.name, *(f"{project.name}/{name}" for name in before)}


def test_killed_at_any_moment_there_is_the_old_project_or_the_new_one(tmp_path: Path) -> None:
    target, drawn = tmp_path / "out", random.Random(1)
    versions = [
        {"project.json": DESCRIPTION, **{f"{version}/{index}": version for index in range(50)}}
        for version in ("one", "two")
    ]
    whole = []
    for files in versions:
        build(target, files)
        whole.append(tree(target) | {"mine.txt": "mine"})
    (target / "mine.txt").write_text("mine")
    for _ in range(10):
        child = os.fork()
        if child == 0:
            while True:
                for files in versions:
                    build(target, files)
        time.sleep(drawn.uniform(0.01, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert tree(target) in whole
    build(target, versions[0])
    assert tree(target) == whole[0]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
