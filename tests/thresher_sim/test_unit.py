"""A unit's project as its bench reads it, its beats, and how streams compare; no simulator runs here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thresher_sim.amd import OtherTypes
from thresher_sim.errors import SimulationMismatchError, UsageError
from thresher_sim.reference import Reference
from thresher_sim.scoreboard import UnitOptions, UnitResult
from thresher_sim.scores import score_stream
from thresher_sim.stimulus import Range, parse_ranges, random_beats, stimulus
from thresher_sim.unit import UnitProject, UnitStream, headers_digest, load_unit

LEFT, WIDE = UnitStream("left", 12), UnitStream("wide", 300)
PACKETS = UnitStream("packets", 38, (("keep", 4), ("last", 1), ("id", 1)))
PACKED = UnitProject(Path(), "Merge", 1, (LEFT, PACKETS), (LEFT,), (), "")
UNIT = UnitProject(Path(), "Merge", 2, (LEFT, WIDE), (UnitStream("sum", 12),), (), "")


def describe(root: Path, **changes: object) -> UnitProject:
    """Load a project whose description differs from a good one by `changes`."""
    (root / "hls").mkdir()
    (root / "hls" / "unit.hpp").write_text("struct Unit;\n")
    data: dict[str, Any] = {
        "schema": 1,
        "module": "Merge",
        "stages": 2,
        "inputs": {"left": 12},
        "outputs": {"sum": 12},
        "include_dirs": ["hls/unit"],
        "hls_sha256": headers_digest(root / "hls"),
    }
    kept = {key: value for key, value in (data | changes).items() if value is not None}
    (root / "unit.json").write_text(json.dumps(kept))
    return load_unit(root)


def test_a_good_description_is_read(tmp_path: Path) -> None:
    unit = describe(tmp_path)
    assert (unit.module, unit.stages, unit.inputs) == ("Merge", 2, (LEFT,))
    assert unit.include_dirs == (tmp_path / "hls" / "unit",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": 2}, "it has schema 2, and this bench reads schema 1"),
        ({"module": None}, "it lacks 'module'"),
        ({"module": "a; b"}, "'a; b' is not a name of letters, digits and underscores"),
        ({"inputs": {'a"': 3}}, "'a\"' is not a name of letters, digits and underscores"),
        ({"inputs": ["a"]}, "an object was expected, not ['a']"),
        ({"outputs": {"a": 0}}, "stream 'a' has 0 bits"),
        ({"outputs": {"a": {"last": 1}}}, "it lacks 'data'"),
        ({"outputs": {"a": {"data": 8, "valid": 1}}}, "stream 'a' has 1 bits of 'valid'"),
        ({"outputs": {"a": {"data": 8, "user": 0}}}, "stream 'a' has 0 bits of 'user'"),
        ({"asked": "x"}, "a list of names was expected, not 'x'"),
        ({"include_dirs": ["../x"]}, "the path '../x' leads out of the project"),
        ({"include_dirs": ["/x"]}, "the path '/x' leads out of the project"),
        ({"include_dirs": "x"}, "a list of names was expected, not 'x'"),
    ],
)
def test_a_damaged_description_is_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        describe(tmp_path, **changes)
    assert str(caught.value) == (
        f"unit: '{tmp_path}/unit.json' is damaged: {reason}; run `thresher hlsc` again"
    )


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_unit(tmp_path)
    assert str(caught.value) == (
        f"unit: '{tmp_path}' is not a unit's project: it holds no unit.json; "
        "name a folder that `thresher hlsc` wrote"
    )


def test_the_signals_of_a_stream_are_read(tmp_path: Path) -> None:
    bits = {"data": 32, "keep": 4, "last": 1, "id": 1}
    unit = describe(tmp_path, inputs={"left": 12, "packets": bits}, asked=["sum"])

    assert unit.inputs == (LEFT, PACKETS)
    assert unit.asked == ("sum",)
    assert [unit.places(stream) for stream in (unit.outputs[0], LEFT)] == [3, 1]
    assert [(field.name, field.low, field.width) for field in PACKETS.fields] == [
        *(("data", 0, 32), ("keep", 32, 4), ("last", 36, 1), ("id", 37, 1)),
    ]
    assert PACKETS.hex(0b1_0_1010 << 32 | 0xBEEF) == "data=0x0000beef keep=0xa last=0x0 id=0x1"


def test_signals_are_drawn_each_for_itself() -> None:
    ranges = {"packets.data": Range(3, 9), "packets.keep": Range(15, 15)}
    drawn = stimulus(PACKED, 500, 7, ranges)
    found = {field.name: {field.of(beat) for beat in drawn["packets"]} for field in PACKETS.fields}

    assert drawn == stimulus(PACKED, 500, 7, ranges)
    assert drawn["left"] == stimulus(UNIT, 500, 7, {})["left"]
    assert found == {"data": set(range(3, 10)), "keep": {15}, "last": {0, 1}, "id": {0, 1}}


def test_a_file_names_the_signals_of_its_beats(tmp_path: Path) -> None:
    (tmp_path / "stimulus").mkdir()
    text = "data=1f\n last=1 id=0x1  data=FFFF_FFFF keep=3 # the end\n"
    (tmp_path / "stimulus" / "packets.txt").write_text(text)

    beats = stimulus(replace(PACKED, root=tmp_path), 3, 0, {})["packets"]

    assert beats == (0xF << 32 | 0x1F, 0b11_0011 << 32 | 0xFFFFFFFF)


@pytest.mark.parametrize(
    "text",
    ["1f", "keep=1", "data=1 data=2", "data=1 user=0", "data=1 keep=10", "data=", "data=-1", "data=1 last"],
)
def test_a_line_that_is_no_beat_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "stimulus").mkdir()
    path = tmp_path / "stimulus" / "packets.txt"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        stimulus(replace(PACKED, root=tmp_path), 3, 0, {})
    assert str(error.value) == (
        f"stimulus: '{path}', line 1: '{text}' is not a beat of 'packets'; give hexadecimal numbers by name, "
        "the data among them, each at most as in 'data=ffffffff keep=f last=1 id=1'"
    )


def test_a_range_is_of_one_signal() -> None:
    with pytest.raises(UsageError) as error:
        stimulus(PACKED, 3, 0, {"packets": Range(0, 1)})
    assert str(error.value) == (
        "stimulus: 'packets' is no input of unit 'Merge'; its inputs are left, packets.data, packets.keep, "
        "packets.last, packets.id"
    )
    assert parse_ranges(["packets.data=3..0x9"]) == {"packets.data": Range(3, 9)}


def test_random_beats_are_reproducible_and_within_their_range() -> None:
    first = stimulus(UNIT, 500, 7, {"left": Range(3, 9)})
    assert first == stimulus(UNIT, 500, 7, {"left": Range(3, 9)})
    assert first != stimulus(UNIT, 500, 8, {"left": Range(3, 9)})
    assert set(first["left"]) == set(range(3, 10))
    assert {0, 1, 2**299 - 1, 2**299, 2**300 - 1} <= set(first["wide"])
    assert len(set(first["wide"])) > 300


def test_a_file_takes_the_place_of_random_beats(tmp_path: Path) -> None:
    (tmp_path / "stimulus").mkdir()
    (tmp_path / "stimulus" / "left.txt").write_text("# two beats\n0xFFF\n\n0_1 # one\n")
    beats = stimulus(replace(UNIT, root=tmp_path), 3, 0, {})
    assert beats["left"] == (0xFFF, 1)
    assert len(beats["wide"]) == 3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "left",
            "1\n1000\n",
            "line 2: '1000' is not a beat of 'left'; give a hexadecimal number of at most 12 bits",
        ),
        ("left", "-1", "line 1: '-1' is not a beat of 'left'; give a hexadecimal number of at most 12 bits"),
        ("left", "_", "line 1: '_' is not a beat of 'left'; give a hexadecimal number of at most 12 bits"),
        (
            "left",
            "1 2",
            "line 1: '1 2' is not a beat of 'left'; give a hexadecimal number of at most 12 bits",
        ),
    ],
)
def test_a_beat_that_cannot_be_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / "stimulus").mkdir()
    path = tmp_path / "stimulus" / f"{name}.txt"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        stimulus(replace(UNIT, root=tmp_path), 3, 0, {})
    assert str(caught.value) == f"stimulus: '{path}', {message}"


def test_beats_of_no_input_are_refused(tmp_path: Path) -> None:
    (tmp_path / "stimulus").mkdir()
    (tmp_path / "stimulus" / "lefd.txt").touch()
    with pytest.raises(UsageError) as caught:
        stimulus(replace(UNIT, root=tmp_path), 3, 0, {})
    assert str(caught.value) == "stimulus: 'lefd' is no input of unit 'Merge'; its inputs are left, wide"
    with pytest.raises(UsageError) as caught:
        stimulus(replace(UNIT, inputs=()), 3, 0, {"sum": Range(0, 1)})
    assert str(caught.value) == "stimulus: 'sum' is no input of unit 'Merge'; it has none"


def test_ranges_are_read() -> None:
    assert parse_ranges(["a=0..99", "b=0x10..0xFF"]) == {"a": Range(0, 99), "b": Range(16, 255)}
    with pytest.raises(UsageError) as caught:
        parse_ranges(["a=0-9"])
    assert str(caught.value) == "stimulus: 'a=0-9' is not a range; give one such as s_axis=0..99"


@pytest.mark.parametrize("span", [Range(0, 4096), Range(5, 4)])
def test_a_range_that_cannot_be_is_refused(span: Range) -> None:
    with pytest.raises(UsageError) as caught:
        random_beats(LEFT, 3, 0, span)
    assert str(caught.value) == (
        f"stimulus: the range {span.low}..{span.high} is not one of 'left'; its beats are 0..4095"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stall": 100}, "sim: a stall of 100 percent cannot be; choose 0 to 99"),
        ({"seed": -1}, "sim: a seed of -1 cannot be; choose 0 to 1000000000"),
        ({"beats": 0}, "sim: 0 beats or steps cannot be; choose 1 or more"),
    ],
)
def test_options_that_cannot_be(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        UnitOptions(**options)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("got", "ended", "message"),
    [
        ([1, 2**299, 3], True, ""),
        ([1, 2**299, 3, 4], False, ""),
        (
            [1, 2**299 + 1, 4],
            True,
            f"beat 1: expected 0x8{'0' * 74}, got 0x8{'0' * 73}1 (2 of 3 beats differ)",
        ),
        ([1, 2**299], True, "too few beats: 1 of 3 are missing"),
        ([1, 2**299, 3, 4], True, "too many beats: 1 more than 3"),
    ],
)
def test_a_stream_is_held_against_what_the_cpp_gave(got: list[int], ended: bool, message: str) -> None:
    want = b"".join(beat.to_bytes(38, "little") for beat in (1, 2**299, 3))
    beats = np.frombuffer(want, np.uint8).reshape(-1, 38)
    seen = np.frombuffer(b"".join(beat.to_bytes(38, "little") for beat in got), np.uint8).reshape(-1, 38)
    reference = Reference(3, 0, 3, False, "left" if ended else "", "", {}, {"wide": beats}, {})
    score = score_stream(WIDE, reference, seen, ended)
    assert score.describe() == message
    result = UnitResult("Merge", reference, (score, replace(score, stream=LEFT)), 9, 0.1, OtherTypes(""))
    if not message:
        result.check()
        return
    with pytest.raises(SimulationMismatchError) as caught:
        result.check()
    assert str(caught.value) == (
        f"sim: unit 'Merge': stream 'wide': {message}; these streams differ too: 'left'"
    )
