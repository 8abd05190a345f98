"""Arrays, foldings, options and projects that are broken, on the command line; and errors nobody foresaw."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.small_models import save_small_model
from thresher import commands
from thresher.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a good model in it."""
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path / "ok.onnx")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line on stderr."""
    code = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.removeprefix("thresher: error: ").removesuffix("\n")


def _array(change: Callable[[bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 12), np.float32))
    return change(buffer.getvalue())


_PICKLED = "samples: file 'x.npy' is pickled or not a .npy file; save plain numbers with numpy.save"
_SAMPLES: dict[str, tuple[bytes, str]] = {
    "an open bracket": (_array(lambda data: data.replace(b"(2, 12)", b"(2, 12(")), _PICKLED),
    "no literal": (_array(lambda data: data.replace(b"(2, 12)", b"2,, 12 ")), _PICKLED),
    "a key of no kind": (_array(lambda data: data.replace(b"'shape'", b"(1,),{}")), _PICKLED),
    "a shape beyond the file": (
        _array(lambda data: data.replace(b"(2, 12), }  ", b"(9**9, 12),}")),
        _PICKLED,
    ),
    "more frames than the file has": (_array(lambda data: data.replace(b"(2, 12)", b"(9, 12)")), _PICKLED),
    "half of it": (_array(lambda data: data[: len(data) // 2]), _PICKLED),
    "nothing": (
        b"",
        "samples: file 'x.npy' cannot be read (No data left in file); give a .npy file",
    ),
}


@pytest.mark.parametrize("what", _SAMPLES)
def test_a_broken_array(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, message = _SAMPLES[what]
    (folder / "x.npy").write_bytes(data)
    given = ("check", "ok.onnx", "--quantize-float", "4", "--samples", "x.npy")
    assert refused(capsys, *given) == (2, message)


_FOLDINGS: dict[str, tuple[str, str]] = {
    "100,000 lists": ("[" * 100_000, "it is nested too deeply"),
    "a number of 5,000 digits": (
        '{"mvu0": {"pe": ' + "9" * 5000 + "}}",
        "it holds a whole number of more than 18 digits",
    ),
    "a number beyond floats": ('{"mvu0": {"pe": 1e999}}', "it holds a number beyond the range of floats"),
    "a word that JSON does not have": ('{"mvu0": {"pe": NaN}}', "it holds NaN, which is no number of JSON"),
    "bytes that are no text": ("\udcff{}", "it is not text in UTF-8"),
}


@pytest.mark.parametrize("what", _FOLDINGS)
def test_a_broken_folding(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, reason = _FOLDINGS[what]
    (folder / "f.json").write_bytes(text.encode(errors="surrogateescape"))
    assert refused(capsys, "build", "ok.onnx", "-o", "out", "--folding", "f.json") == (
        2,
        f"folding: file 'f.json' cannot be read ({reason}); give a JSON file such as "
        '{"mvu0": {"pe": 16, "simd": 49}}',
    )


@pytest.mark.parametrize("option", ["--folding", "--samples", "--labels"])
def test_a_pipe_is_not_read(option: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "pipe")
    example = ' such as {"mvu0": {"pe": 16, "simd": 49}}' if option == "--folding" else ""
    kind = "JSON" if option == "--folding" else ".npy"
    assert refused(capsys, "build", "ok.onnx", "-o", "out", option, "pipe") == (
        2,
        f"{option[2:]}: file 'pipe' cannot be read (it is no regular file); give a {kind} file{example}",
    )


def test_a_model_that_is_a_pipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "pipe")
    assert refused(capsys, "check", "pipe") == (
        2,
        "import: model 'pipe': cannot be read (it is no regular file); give the path of an ONNX model",
    )


@pytest.mark.parametrize("scale", ["1e99999999999", "1/0", "9" * 400, "1e400", "nan", "1/3/5"])
def test_a_scale_that_is_no_number(scale: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("build", "ok.onnx", "-o", "out", "--input-type", "uint8", "--input-scale", scale)
    assert refused(capsys, *given) == (
        2,
        f"build: input scale '{scale}' is not a positive number; give one such as 1/255 or 0.0039",
    )


@pytest.mark.parametrize("name", ["project.json", "reports/report.json"])
def test_a_description_that_is_no_json(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "ok.onnx", "-o", "out"]) == 0
    capsys.readouterr()
    (folder / "out" / name).write_text("[" * 100_000)
    code, message = refused(capsys, "report", "out")
    assert code == 2
    assert message in (
        "project: 'out/project.json' cannot be read: it is nested too deeply; build the project again",
        "report: 'out/reports/report.json' cannot be read (it is nested too deeply); build the project again",
    )


def test_what_nobody_foresaw_ends_with_70_and_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody\nforesaw this")

    monkeypatch.setattr(commands, "build_project", fail)
    (folder / "there").mkdir()
    code = main(["build", "ok.onnx", "-o", "there/out"])
    assert (code, capsys.readouterr().err) == (
        70,
        "thresher: error: internal error: ZeroDivisionError: nobody foresaw this; the traceback is in "
        "'there/thresher-error.txt'; please report this fault of Thresher's with it\n",
    )
    kept = (folder / "there" / "thresher-error.txt").read_text()
    assert "$ thresher build ok.onnx -o there/out\n" in kept
    assert kept.endswith("ZeroDivisionError: nobody\nforesaw this\n")


def test_a_lack_of_memory_is_no_fault(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(commands, "read_model", fail)
    assert refused(capsys, "check", "ok.onnx") == (
        2,
        "memory: what is asked for does not fit in it; give a smaller model, or fewer frames (--frames)",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "ok.onnx", "--json", "ok.onnx"],
            "json: 'ok.onnx' is read by the command; give the name of another file",
        ),
        (
            ["check", "ok.onnx", "--json", "out/manifest.json"],
            "json: 'out/manifest.json' is part of the project '{folder}/out'; give another name",
        ),
        (
            ["csim", "out", "--inputs", "x.npy", "--trace", "x.npy"],
            "trace: 'x.npy' is read by the command; give the name of another file",
        ),
        (
            ["csim", "out", "--inputs", "x.npy", "--trace", "out/project.json"],
            "trace: 'out/project.json' is part of the project '{folder}/out'; give another name",
        ),
    ],
)
def test_no_result_overwrites_what_is_read(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "ok.onnx", "-o", "out"]) == 0
    np.save("x.npy", np.zeros((1, 12), np.float32))
    capsys.readouterr()
    before = (folder / arguments[-1]).read_bytes()
    assert refused(capsys, *arguments) == (2, message.format(folder=folder))
    assert (folder / arguments[-1]).read_bytes() == before
