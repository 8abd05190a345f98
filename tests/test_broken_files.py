"""Arrays, foldings, options and projects that are broken, on the command line; and errors nobody foresaw."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
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


_DAMAGED = (
    "samples: file 'x.npy' is damaged: its header is broken or promises more than it has; save it again"
)
_SAMPLES: dict[str, tuple[bytes, str]] = {
    "an open bracket": (_array(lambda data: data.replace(b"(2, 12)", b"(2, 12(")), _DAMAGED),
    "no literal": (_array(lambda data: data.replace(b"(2, 12)", b"2,, 12 ")), _DAMAGED),
    "a key of no kind": (_array(lambda data: data.replace(b"'shape'", b"(1,),{}")), _DAMAGED),
    "a shape beyond the file": (
        _array(lambda data: data.replace(b"(2, 12), }  ", b"(9**9, 12),}")),
        _DAMAGED,
    ),
    "more frames than the file has": (_array(lambda data: data.replace(b"(2, 12)", b"(9, 12)")), _DAMAGED),
    "half of it": (_array(lambda data: data[: len(data) // 2]), _DAMAGED),
    "another kind of file": (
        b"x,y\n1,2\n",
        "samples: file 'x.npy' is not a .npy file; save plain numbers with numpy.save",
    ),
    "nothing": (
        b"",
        "samples: file 'x.npy' cannot be read (it is empty); give a .npy file",
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


def test_a_name_of_two_lines_is_told_in_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("check", "ok.onnx", "--quantize-float", "4", "--samples", "a\rb\nc\td")
    assert refused(capsys, *given) == (
        2,
        r"samples: file 'a\rb\nc\td' does not exist; give the path of a .npy file",
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


def test_a_file_that_waits_for_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kernel's messages are a regular file, of no bytes."""
    messages = Path("/proc/kmsg")
    if not os.access(messages, os.R_OK):
        pytest.skip("/proc/kmsg cannot be read here")
    given = ("build", "ok.onnx", "-o", "out", "--quantize-float", "4", "--samples", str(messages))
    assert refused(capsys, *given) == (
        2,
        "samples: file '/proc/kmsg' cannot be read (it is empty); give a .npy file",
    )


def thresher(*arguments: str, stdout: int, folder: Path | None = None) -> tuple[int, str]:
    """The exit code and what is on stderr of a process of its own."""
    command = [sys.executable, "-m", "thresher", *arguments]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=folder, check=False)
    return done.returncode, done.stderr


def test_nobody_reads_what_is_printed(folder: Path) -> None:
    """As of `thresher check ok.onnx | true`: no mismatch, which is what exit code 1 means."""
    reader, writer = os.pipe()
    os.close(reader)
    assert thresher("check", "ok.onnx", stdout=writer) == (141, "")
    os.close(writer)


def test_what_is_printed_does_not_fit(folder: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    assert thresher("check", "ok.onnx", stdout=full) == (
        2,
        "thresher: error: files: a file, or what standard output goes to: No space left on device; "
        "mend that and try again\n",
    )
    os.close(full)


def test_a_working_folder_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())
    assert main(["build", str(folder / "ok.onnx"), "-o", "out"]) == 2
    assert told.getvalue() == (
        "thresher: error: files: the working folder has been deleted; change to another and try again\n"
    )


def test_an_interrupt_while_the_command_line_loads() -> None:
    program = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'thresher.cli':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from thresher.__main__ import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "thresher: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_build_leaves_nothing(number: signal.Signals, folder: Path) -> None:
    # Whoever runs the tests may ignore the signal, which a process takes over from its parent.
    program = (
        f"import signal, sys\nsignal.signal({int(number)}, signal.SIG_DFL)\n"
        "from thresher.__main__ import main\nsys.exit(main())\n"
    )
    command = [sys.executable, "-c", program, "build", "ok.onnx", "-o", "out"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as build:
        deadline = time.monotonic() + 60
        while not (folder / ".out.thresher-build").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        build.send_signal(number)
        _, said = build.communicate()
    assert (build.returncode, said) == (128 + number, "")
    assert [path.name for path in folder.iterdir()] == ["ok.onnx"]


def test_a_signal_that_is_ignored_stays_so() -> None:
    program = (
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from thresher import __main__\nimport thresher.cli\nthresher.cli.main = lambda: 0\n"
        "__main__.main()\nprint(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_project_that_is_built_again_meanwhile(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails in between names the cause, whatever the error; what fails without it does not."""
    (folder / "project").mkdir()

    def fail(_: object) -> int:
        raise FileNotFoundError(2, "No such file or directory", "project/rtl/mvu0.sv")

    def replaced(options: object) -> int:
        (folder / "project").rename(folder / "old")
        (folder / "project").mkdir()
        return fail(options)

    monkeypatch.setattr(commands, "csim", replaced)
    assert refused(capsys, "csim", "project") == (
        2,
        "project: 'project' was built again while it was read; run the command again, without a build at the "
        "same time",
    )
    monkeypatch.setattr(commands, "csim", fail)
    assert refused(capsys, "csim", "project") == (
        2,
        "files: 'project/rtl/mvu0.sv': No such file or directory; mend that and try again",
    )


def test_a_result_follows_links_and_goes_into_pipes(folder: Path) -> None:
    """What is named for a result is neither a device's nor a link's end."""
    (folder / "linked.json").write_text("old")
    (folder / "link").symlink_to("linked.json")
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("link", "pipe"):
        assert main(["check", "ok.onnx", "--json", name]) == 0
    text = (folder / "linked.json").read_text()
    assert json.loads(text)["counts"]["problem"] == 0
    assert (folder / "link").is_symlink() and (folder / "pipe").is_fifo()
    assert os.read(reader, 1 << 20).decode() == text
    os.close(reader)


def test_results_of_evaluate_need_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("evaluate", "project", "--inputs", "x.npy", "--labels", "y.npy", "-o", "ok.onnx")
    assert refused(capsys, *given) == (
        2,
        "evaluate: 'ok.onnx' is no folder; give the name of one for the results with -o",
    )
