"""Boards as data, and the part that a board, a part, both or neither give."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import thresher
from tests.small_models import save_small_model
from thresher.building import BuildOptions
from thresher.cli import main
from thresher.errors import UsageError
from thresher.hardware.boards import boards, find_board
from thresher.hardware.dma import PORT_BYTES, DmaStream, dma_stream
from thresher.hardware.parts import family_of, known_size
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

# Parts as the boards' vendors print them on the product pages.
PARTS = {
    "PYNQ-Z1": "xc7z020clg400-1",
    "PYNQ-Z2": "xc7z020clg400-1",
    "Ultra96-V2": "xczu3eg-sbva484-1-i",
    "ZCU104": "xczu7ev-ffvc1156-2-e",
    "KV260": "xck26-sfvc784-2LV-c",
    "Arty-A7-100T": "xc7a100tcsg324-1",
    "ULX3S-85F": "LFE5U-85F-6BG381C",
}
CLOCKS = {"Arty-A7-100T": ("E3", 100), "ULX3S-85F": ("G2", 25)}


def test_the_boards_have_these_parts() -> None:
    assert {name: board.part for name, board in boards().items()} == PARTS


@pytest.mark.parametrize("name", PARTS)
def test_a_board_is_whole(name: str) -> None:
    board = boards()[name]
    assert family_of(board.part) == ("ecp5" if name.startswith("ULX3S") else "xc7")
    assert known_size(board.part) is not None
    assert board.source
    # Either a processor system gives the clock, or an oscillator.
    assert (board.processor is None) == (board.clock is not None) == (name in CLOCKS)
    if board.clock is not None:
        assert (board.clock.pin, board.clock.mhz) == CLOCKS[name]
    assert board.processor is None or board.processor in PORT_BYTES
    assert (board.board_part is None) == (not board.part.startswith("xc"))
    assert all(re.fullmatch(r"[A-Z]+\d+", pin) for pin in board.pins.values())


def test_a_board_is_found_whatever_its_capitals() -> None:
    assert find_board("pynq-z2") is boards()["PYNQ-Z2"]


def test_a_board_gives_the_part() -> None:
    assert BuildOptions().chosen_part == "xc7z020clg400-1"
    assert BuildOptions(board="KV260").chosen_part == "xck26-sfvc784-2LV-c"
    assert BuildOptions(board="KV260", part="XCK26-SFVC784-2LV-C").chosen_part == "xck26-sfvc784-2LV-c"
    assert BuildOptions(part="xc7a35tcpg236-1").chosen_part == "xc7a35tcpg236-1"


MESSAGES = {
    ("zedboard", None): "build: board 'zedboard' is not known; give one of PYNQ-Z1, PYNQ-Z2, Ultra96-V2, "
    "ZCU104, KV260, Arty-A7-100T, ULX3S-85F, or a --part",
    ("ZCU104", "xc7z020clg400-1"): "build: board ZCU104 has the part xczu7ev-ffvc1156-2-e, and "
    "'xc7z020clg400-1' is asked for; give the board or the part, not both",
}


@pytest.mark.parametrize(("board", "part"), MESSAGES)
def test_a_board_that_cannot_be(
    board: str, part: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as raised:
        BuildOptions(board=board, part=part)
    assert str(raised.value) == MESSAGES[board, part]
    model = save_small_model(tmp_path / "small.onnx")
    words = ["build", str(model), "-o", str(tmp_path / "project"), "--board", board]
    assert main([*words, *(["--part", part] if part else [])]) == 2
    assert capsys.readouterr().err == f"thresher: error: {MESSAGES[board, part]}\n"
    assert not (tmp_path / "project").exists()


def test_a_project_knows_its_board(tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    assert main(["build", str(model), "-o", str(tmp_path / "project"), "--board", "ultra96-v2"]) == 0
    described = json.loads((tmp_path / "project" / "project.json").read_text())
    assert (described["board"], described["part"]) == ("Ultra96-V2", PARTS["Ultra96-V2"])
    readme = (tmp_path / "project" / "README.md").read_text()
    assert "For Ultra96-V2, `make bitstream` has Vivado build" in readme
    plain = thresher.build(model, tmp_path / "plain")
    assert json.loads((plain.directory / "project.json").read_text())["board"] is None
    assert "make bitstream` has" not in (plain.directory / "README.md").read_text()


@pytest.mark.parametrize(
    ("layout", "port", "expected"),
    [
        # 784 bytes of 49: eight bytes have 392 in common with 49, sixteen 784, which is too many.
        (StreamLayout(IntType(0, 255), 784, 1, 49), 16, DmaStream(49, 784, 8)),
        (StreamLayout(IntType(0, 255), 3, 1024, 3), 8, DmaStream(3, 3072, 8)),
        (StreamLayout(IntType(0, 255), 64, 1, 64), 16, DmaStream(64, 64, 16)),
        # A frame of ten bytes is five words of two.
        (StreamLayout(IntType(-100, 100), 10, 1, 10), 8, DmaStream(10, 10, 2)),
        (StreamLayout(BIPOLAR, 9, 1, 9), 8, DmaStream(2, 2, 2)),
        (StreamLayout(BIPOLAR, 5, 1, 5), 8, DmaStream(1, 1, 1)),
        (StreamLayout(IntType(0, 255), 520, 1, 520), 8, DmaStream(520, 520, None)),
    ],
)
def test_the_words_of_a_dma(layout: StreamLayout, port: int, expected: DmaStream) -> None:
    assert dma_stream(layout, port) == expected
    cycles = expected.cycles_per_frame()
    assert cycles == (
        None if expected.bytes_per_word is None else expected.bytes_per_frame // expected.bytes_per_word
    )
