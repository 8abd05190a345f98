"""Which headers travel with a unit, and where to."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from tests.unit import SOURCES
from thresher.hlsc import UnitSource
from thresher.share import share_dir
from thresher.unit.headers import header_tree


def tree(folder: Path, files: dict[str, str], *includes: str) -> dict[str, str]:
    """The places in `hls/` of the headers of `files`, of which the first is the unit's, by their names."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    dirs = (*(folder / name for name in includes), share_dir("hls"))
    found = header_tree(UnitSource(folder / next(iter(files)), "Unit", dirs))
    return {str(file.relative_to(folder.resolve())): str(place) for file, place in found.copies.items()}


def test_only_what_is_included_is_copied(tmp_path: Path) -> None:
    files = {
        "unit.hpp": '#include "thresher/stream.hpp"\n#include "sub/a.hpp"\n#include <cstdint>\n',
        "sub/a.hpp": '#include "b.hpp"\n',
        "sub/b.hpp": "",
        "other.hpp": "",
    }
    assert tree(tmp_path, files) == {
        "unit.hpp": "unit/unit.hpp",
        "sub/a.hpp": "unit/sub/a.hpp",
        "sub/b.hpp": "unit/sub/b.hpp",
    }


def test_places_to_each_other_are_kept(tmp_path: Path) -> None:
    files = {"a/b/unit.hpp": '#include "../c.hpp"\n#include <d.hpp>\n', "a/c.hpp": "", "e/d.hpp": ""}
    assert tree(tmp_path, files, "e", "a") == {
        "a/b/unit.hpp": "unit/a/b/unit.hpp",
        "a/c.hpp": "unit/a/c.hpp",
        "e/d.hpp": "unit/e/d.hpp",
    }


def test_folders_to_include_from_keep_their_order() -> None:
    folders = (SOURCES / "include", SOURCES / "common", SOURCES, share_dir("hls"))
    found = header_tree(UnitSource(SOURCES / "units" / "merge.hpp", "demo::Ticker", folders))
    assert found.header == PurePosixPath("unit/units/merge.hpp")
    assert [str(path) for path in found.include_dirs] == ["unit/units", "unit/include", "unit/common", "unit"]


def test_thresher_s_own_units_are_there_already() -> None:
    header = share_dir("hls") / "thresher" / "argmax.hpp"
    found = header_tree(UnitSource(header, "thresher::Argmax", (share_dir("hls"),)))
    assert (found.header, found.copies) == (PurePosixPath("thresher/argmax.hpp"), {})
