"""C++ of a unit that has no meaning on its beats: the bench names the line, what, the step and its beats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from tests.hlsc.native import HLS
from thresher.hlsc.frontend.layout import Port
from thresher.unit.reference import reference_program
from thresher_sim.checks import with_strict_indices
from thresher_sim.errors import ThresherError, ToolFailedError, UsageError
from thresher_sim.reference import Reference, run_reference
from thresher_sim.unit import UnitProject, UnitStream

HEADER = Path(__file__).with_name("mistakes.hpp")
LINES = HEADER.read_text(encoding="utf-8").splitlines()
NUMBER, VALUE, RESULT = UnitStream("number", 8), UnitStream("value", 16), UnitStream("m_axis", 32)
BYTES = UnitStream("s_axis", 8)

ARRAY = "keep the index within the array, or give the array more elements"
WORDS = "keep the address within the words, or give more words"
BIT = "keep the index below the width, or give more bits"
POINTER = "let it point to something first"

MISTAKES: dict[int, tuple[str, str, str]] = {
    1: ("a member array", "index 7 is outside of 'int[4]'", ARRAY),
    2: ("a negative index", "index -2 is outside of 'int[4]'", ARRAY),
    3: ("a local array", "index 7 is outside of 'const int[3]'", ARRAY),
    4: ("a constant table", "index 7 is outside of 'const int[4]'", ARRAY),
    5: ("a table", "address 7 is outside of a table of 6 words", WORDS),
    6: ("a read of a Ram", "address 7 is outside of a Ram of 6 words", WORDS),
    7: ("a write to a Ram", "address -1 is outside of a Ram of 6 words", WORDS),
    8: ("an element of a class", "index 7 is outside of 'Level[7]'", ARRAY),
    10: ("a division", "a division by zero", "test the divisor first"),
    11: (
        "an assertion",
        'assert(value_ % 8 != 7 && "seven") does not hold',
        "mend the C++, or the assertion, if such beats may come",
    ),
    12: ("a null pointer", "a pointer to 'const int' is null", POINTER),
    15: (
        "a function",
        "a function ends without the value that it must return",
        "return a value on every path",
    ),
    16: ("the last member", "index 7 is outside of 'int[7]'", ARRAY),
    17: ("a row of a grid", "index 7 is outside of 'int[7]'", ARRAY),
    18: ("an argument", "index 7 is outside of 'Level[7]'", ARRAY),
    20: ("a second write", "address 7 is outside of a Ram of 7 words", WORDS),
    21: ("a read behind a write", "address 7 is outside of a Ram of 7 words", WORDS),
    22: ("a bit", "there is no bit 7 in an integer of 7 bits", BIT),
    23: ("a negative bit", "there is no bit -1 in an integer of 7 bits", BIT),
    24: ("a range", "there is no bit 7 in an integer of 7 bits", BIT),
    25: (
        "a range the wrong way round",
        "a range goes from bit 2 down to bit 4",
        "give the higher bit first; reverse() reverses bits",
    ),
    26: ("a rotation", "an integer of 7 bits is rotated by 7", "rotate by less than the width"),
}
"""What `mistakes::Any` does wrong with the value 7, by its number: the line's comment, what, the remedy."""


def project(folder: Path, name: str, inputs: Sequence[UnitStream], output: UnitStream) -> UnitProject:
    """A project that has C++ alone."""
    (folder / "hls").mkdir()
    ports = [Port(stream.name, stream.width, stream in inputs, 0) for stream in (*inputs, output)]
    text = reference_program(PurePosixPath(HEADER.name), f"mistakes::{name}", ports)
    (folder / "hls" / "reference.cpp").write_text(text)
    return UnitProject(folder, name, 1, tuple(inputs), (output,), (HLS, HEADER.parent), "")


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> UnitProject:
    return project(tmp_path_factory.mktemp("mistakes"), "Any", (NUMBER, VALUE), RESULT)


def run(unit: UnitProject, folder: Path, *beats: Sequence[int]) -> Reference:
    (folder / "inputs").mkdir()
    for stream, numbers in zip(unit.inputs, beats, strict=True):
        content = b"".join(number.to_bytes(stream.bytes_per_beat, "little") for number in numbers)
        (folder / "inputs" / f"{stream.name}.bin").write_bytes(content)
    return run_reference(unit, folder, 100)


def line(comment: str) -> int:
    (found,) = (number for number, text in enumerate(LINES, 1) if text.endswith(f"  // {comment}"))
    return found


def fails(unit: UnitProject, folder: Path, number: int, value: int) -> ThresherError:
    with pytest.raises(ThresherError) as caught:
        run(unit, folder, [0, 0, number], [1, 2, value])
    return caught.value


@pytest.mark.parametrize("number", MISTAKES, ids=[comment for comment, _, _ in MISTAKES.values()])
def test_a_mistake_is_named_by_its_line(number: int, unit: UnitProject, tmp_path: Path) -> None:
    comment, what, remedy = MISTAKES[number]

    error = fails(unit, tmp_path, number, 7)

    assert str(error) == (
        f"sim: unit 'Any': mistakes.hpp:{line(comment)}: {what}, in step 2 of the C++, which read beat 2 "
        f"of 'number', 0x{number:02x} and beat 2 of 'value', 0x0007; {remedy}"
    )
    assert (type(error), error.exit_code) == (UsageError, 2)


def test_a_shift_says_by_how_much(unit: UnitProject, tmp_path: Path) -> None:
    assert str(fails(unit, tmp_path, 9, 300)) == (
        f"sim: unit 'Any': mistakes.hpp:{line('a shift')}: 'int' is shifted by 300 bits, in step 2 "
        "of the C++, which read beat 2 of 'number', 0x09 and beat 2 of 'value', 0x012c; shift by fewer bits "
        "than the type has, or convert to a wider one"
    )


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            13,
            "a step does not end: it has taken 2 seconds, in step 2 of the C++, which read beat 2 of "
            "'number', 0x0d and beat 2 of 'value', 0x0007; let each of its loops end: a step is "
            "one clock cycle's work",
        ),
        (
            14,
            "it ends with signal 6, in step 2 of the C++, which read beat 2 of 'number', 0x0e and beat 2 of "
            "'value', 0x0007; look for pointers that lead nowhere, and for numbers that types cannot hold",
        ),
    ],
)
def test_a_step_that_does_not_come_to_its_end_is_named(
    number: int, message: str, unit: UnitProject, tmp_path: Path
) -> None:
    assert str(fails(unit, tmp_path, number, 7)) == f"sim: unit 'Any': {message}"


def test_what_is_within_its_bounds_and_sums_that_wrap_are_no_mistakes(
    unit: UnitProject, tmp_path: Path
) -> None:
    """The last index and address, the largest shift; sums of signed numbers wrap, as hlsc has it."""
    numbers = {
        1: 3,
        2: 12,
        3: 2,
        4: 3,
        5: 5,
        6: 5,
        7: 13,
        8: 6,
        9: 31,
        10: 6,
        11: 8,
        16: 6,
        17: 6,
        18: 6,
        19: 2,
        20: 6,
        21: 4,
        22: 6,
        23: 8,
        24: 6,
        25: 5,
        26: 6,
    }

    done = run(unit, tmp_path, list(numbers), list(numbers.values()))

    assert (done.steps, done.dry, done.asked) == (len(numbers), "number", False)
    results = [int.from_bytes(row.tobytes(), "little") for row in done.beats["m_axis"]]
    wrapped = (0x7FFFFFFF + 2) * 3 % 2**32
    assert dict(zip(numbers, results, strict=True)) == dict.fromkeys(numbers, 0) | {
        3: 2,
        4: 7,
        5: 25,
        9: 2**31,
        10: 2**32 - 100,
        18: 1,
        19: wrapped,
        21: 5,
        22: 1,
        23: 0x54,
        24: 1,
        25: 1,
        26: 0x6A,
    }


def test_a_mistake_of_a_constructor_is_named(tmp_path: Path) -> None:
    unit = project(tmp_path, "Early", (BYTES,), UnitStream("m_axis", 8))
    with pytest.raises(UsageError) as caught:
        run(unit, tmp_path, [1])
    assert str(caught.value) == (
        f"sim: unit 'Early': mistakes.hpp:{line('ahead of the steps')}: index 4 is outside of 'int[4]', "
        f"ahead of the first step; {ARRAY}"
    )


def test_a_write_of_a_constructor_is_named(tmp_path: Path) -> None:
    unit = project(tmp_path, "EarlyWrite", (BYTES,), UnitStream("m_axis", 8))
    with pytest.raises(UsageError) as caught:
        run(unit, tmp_path, [1])
    assert str(caught.value) == (
        f"sim: unit 'EarlyWrite': mistakes.hpp:{line('a word too many')}: address 4 is outside of a Ram of 4 "
        f"words, ahead of the first step; {WORDS}"
    )


def test_only_indices_are_held_more_strictly() -> None:
    check = (
        "  %2 = icmp ule i64 %1, 31, !nosanitize !3\n  br i1 %2, label %cont, label %handler.{}, !prof !4\n"
    )
    shift, index = check.format("shift_out_of_bounds"), check.format("out_of_bounds")
    assert with_strict_indices(shift + index) == shift + index.replace("ule", "ult")


def test_a_beat_file_that_is_not_there_is_no_mistake_of_the_unit(unit: UnitProject, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    with pytest.raises(ToolFailedError) as caught:
        run_reference(unit, tmp_path, 1)
    assert str(caught.value) == (
        f"sim: unit 'Any': its C++ failed: reference: '{tmp_path}/inputs/number.bin' cannot be opened"
    )
