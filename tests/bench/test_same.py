"""Two revisions' projects are compared after words are renamed, and nothing else is forgiven."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.same.build import Made
from bench.same.compare import Renaming, differences, read_renaming

PART = {"rtl/part_0.sv": b"module part_0;\nendmodule\n", "vectors/a.bin": b"\xff\x00"}


def test_what_is_equal_but_for_renamed_words_is_the_same() -> None:
    renamed = {"rtl/unit_0.sv": b"module unit_0;\nendmodule\n", "vectors/a.bin": b"\xff\x00"}
    found = differences(Made(0, "", PART), Made(0, "", renamed), Renaming({"part_0": "unit_0"}))
    assert list(found) == []


def test_a_word_within_another_is_not_renamed() -> None:
    assert Renaming({"part": "unit", "part_0": "first"})("part part_0 parts") == "unit first parts"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({**PART, "rtl/part_0.sv": b"module part_0;\n"}, "rtl/part_0.sv: \n  -endmodule"),
        ({**PART, "vectors/a.bin": b"\xff\x01\x02"}, "vectors/a.bin: 2 and 3 bytes differ"),
        ({**PART, "new": b""}, "new: new"),
        ({"rtl/part_0.sv": PART["rtl/part_0.sv"]}, "vectors/a.bin: gone"),
    ],
)
def test_what_differs_is_told(other: dict[str, bytes], said: str) -> None:
    assert list(differences(Made(0, "", PART), Made(0, "", other), Renaming({}))) == [said]


def test_refusals_are_compared_by_code_and_text() -> None:
    one, other = Made(3, "no part", {}), Made(2, "no part", {})
    assert list(differences(one, one, Renaming({}))) == []
    assert list(differences(one, other, Renaming({}))) == ["exit code 3, then 2: no part | no part"]


def test_the_table_of_names_is_a_word_and_another_in_each_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# old new\nsettle requantise  # a pass\n\nends outputs\n")
    assert read_renaming(tmp_path / "names.txt")("settle ends") == "requantise outputs"
