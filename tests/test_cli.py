"""The command line on good and on bad input: what it says, whole, its exit code, and what it leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.small_models import save_small_model, small_model
from thresher.cli import main
from thresher.report.kept import updating_report

SUPPORTED = (
    "Add, ArgMax, AveragePool, BatchNormalization, BipolarQuant, Ceil, Clip, Concat, Constant, Conv, "
    "DepthToSpace, Div, Dropout, Equal, Flatten, Floor, Gather, Gemm, GlobalAveragePool, GlobalMaxPool, "
    "Greater, GreaterOrEqual, Identity, LeakyRelu, Less, LessOrEqual, MatMul, Max, MaxPool, Min, Mul, "
    "Neg, PRelu, Pad, Quant, ReduceMax, ReduceMean, Relu, Reshape, Resize, Round, Sign, Slice, "
    "SpaceToDepth, Split, Squeeze, Sub, Sum, TopK, Transpose, Trunc, Unsqueeze, Upsample, Where"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a good model in it."""
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path / "ok.onnx")
    return tmp_path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project."""
    folder = tmp_path_factory.mktemp("cli")
    model = save_small_model(folder / "small.onnx")
    assert main(["build", str(model), "-o", str(folder / "project")]) == 0
    return folder / "project"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line on stderr."""
    code = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.removeprefix("thresher: error: ").removesuffix("\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _truncate(folder: Path) -> None:
    data = (folder / "ok.onnx").read_bytes()
    (folder / "bad.onnx").write_bytes(data[: len(data) // 2])


def _save(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        model = small_model()
        change(model)
        onnx.save(model, folder / "bad.onnx")

    return write


def _unsupported(model: onnx.ModelProto) -> None:
    model.graph.node[3].CopyFrom(helper.make_node("Erf", ["m0"], ["n0"], "erf"))


def _dynamic(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "n"


def _nan_scale(model: onnx.ModelProto) -> None:
    step = next(tensor for tensor in model.graph.initializer if tensor.name == "step")
    step.CopyFrom(numpy_helper.from_array(np.array(np.nan, np.float32), "step"))


def _float(model: onnx.ModelProto) -> None:
    names = {"q": "x", "b0": "w0", "b1": "w1", "a0": "n0"}
    kept = [node for node in model.graph.node if "Quant" not in node.op_type]
    del model.graph.node[:]
    for node in kept:
        node.input[:] = [names.get(name, name) for name in node.input]
        model.graph.node.append(node)


BAD_MODELS: list[tuple[Callable[[Path], None], int, str]] = [
    (
        lambda _: None,
        2,
        "import: model 'bad.onnx': no such file ('bad.onnx'); give the path of an ONNX model",
    ),
    (
        lambda folder: _write(folder / "bad.onnx", "hello"),
        2,
        "import: model 'bad.onnx': the file is not an ONNX model, or it is truncated; export the model again",
    ),
    (
        lambda folder: (folder / "bad.onnx").touch(),
        2,
        "import: model 'bad.onnx': the file is empty; export the model again",
    ),
    (
        _truncate,
        2,
        "import: model 'bad.onnx': the file is not an ONNX model, or it is truncated; export the model again",
    ),
    (
        _save(_unsupported),
        3,
        "lower: node 'erf': operator Erf is not supported, and quantised layers follow; "
        f"supported are {SUPPORTED}",
    ),
    (
        _save(_dynamic),
        3,
        "import: model 'bad.onnx': input 'x', dimension 1: the size 'n' is dynamic; export the model with a "
        "fixed input shape",
    ),
    (
        _save(_nan_scale),
        3,
        "import: node 'layer_quant': its scale holds NaN or infinity, where positive numbers are needed; "
        "train the model again, or mend the export",
    ),
    (
        _save(_float),
        3,
        "import: model 'bad.onnx': nothing in it quantises an activation (Quant, BipolarQuant, a sign, "
        "Round): it is a float model; train it with Brevitas' quantised layers and export it with "
        "brevitas.export.export_qonnx, or binarise activations by torch.where(x >= 0, 1.0, -1.0)",
    ),
]


@pytest.mark.parametrize(("make", "code", "message"), BAD_MODELS)
def test_a_bad_model_is_refused_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], code: int, message: str
) -> None:
    make(folder)
    before = sorted(folder.iterdir())
    assert refused(capsys, "build", "bad.onnx", "-o", "out") == (code, message)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            ["--input-type", "uint9"],
            2,
            "build: input type 'uint9' is not known; give bipolar, uint1 to uint8 or int2 to int8",
        ),
        (
            ["--input-type", "uint8", "--input-scale", "x"],
            2,
            "build: input scale 'x' is not a positive number; give one such as 1/255 or 0.0039",
        ),
        *(
            (
                ["--input-type", "uint8", "--input-scale", scale],
                2,
                f"build: input scale '{scale}' is not a positive number; give one such as 1/255 or 0.0039",
            )
            for scale in ("-1/255", "0", "0/5", "1/0", "nan", "inf", "-inf", "-0.5", "")
        ),
        (
            ["--input-type", "uint8", "--input-scale", "1e-60"],
            2,
            "lower: the input scale: 1e-60 is not a positive number of float32; give one, such as 1/255",
        ),
        (
            ["--input-type", ""],
            2,
            "build: input type '' is not known; give bipolar, uint1 to uint8 or int2 to int8",
        ),
        (
            ["--input-scale", "1/4"],
            2,
            "lower: the input scale: there is no input type that it belongs to; give both",
        ),
        (["--clock-mhz", "0.5"], 2, "build: a clock of 0.5 MHz cannot be; give 1 to 2000"),
        (["--clock-mhz", "-3"], 2, "build: a clock of -3 MHz cannot be; give 1 to 2000"),
        (
            ["--target-fps", "1e12"],
            2,
            "build: a target of 1e+12 frames per second is more than one a cycle at 100 MHz; "
            "give at most 1e+08",
        ),
        (["--target-fps", "0"], 2, "build: a target of 0 frames per second cannot be; give a number above 0"),
        (["--part", "a;b"], 2, "build: 'a;b' is not a part number; give one such as xc7z020clg400-1"),
        (
            ["--fit", "--part", "xc7vx485t"],
            2,
            "build: the size of part 'xc7vx485t' is not known, so nothing can be fitted to it; give a target "
            "rate or a folding, or a part that begins with xc7a35t, xc7a50t, xc7a100t, xc7a200t, xc7k325t, "
            "xc7s50, xc7z010, xc7z020, xc7z045, xck26, xczu3eg, xczu7ev, xczu9eg, xcvu9p, lfe5u-25f, "
            "lfe5u-45f, lfe5u-85f",
        ),
        (
            ["--fit", "--target-fps", "100"],
            2,
            "thresher build: argument --target-fps: not allowed with argument --fit; "
            "see thresher build --help",
        ),
        (
            ["--folding", "none.json"],
            2,
            "folding: file 'none.json' does not exist; give the path of a JSON file",
        ),
        (
            ["--argmax"],
            3,
            "lower: the class index: the largest of its outputs cannot be told from the integers before "
            "them: from 'm1' on, they are not one rising function for all classes; build without argmax",
        ),
    ],
)
def test_bad_options_are_refused_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    before = sorted(folder.iterdir())
    assert refused(capsys, "build", "ok.onnx", "-o", "out", *options) == (code, message)
    assert sorted(folder.iterdir()) == before


def test_a_folder_of_someone_else_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    assert refused(capsys, "build", "ok.onnx", "-o", "mine") == (
        2,
        "build: folder 'mine' exists and is not a Thresher project (it has no project.json); give another "
        "folder with -o, or empty it",
    )
    assert [path.name for path in (folder / "mine").iterdir()] == ["thesis.txt"]


def test_a_file_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "build", "ok.onnx", "-o", "ok.onnx") == (
        2,
        "build: 'ok.onnx' exists and is a file; give another folder with -o",
    )


def test_a_folder_in_a_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "build", "ok.onnx", "-o", "ok.onnx/a/b") == (
        2,
        f"build: '{folder}/ok.onnx' is a file and 'ok.onnx/a/b' cannot be in it; give another folder with -o",
    )


def test_the_working_folder_is_not_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out" / "rtl").mkdir(parents=True)
    (folder / "out" / "project.json").touch()
    monkeypatch.chdir(folder / "out" / "rtl")
    assert refused(capsys, "build", "../../ok.onnx", "-o", "..") == (
        2,
        "build: folder '..' is or holds the working folder, which cannot be replaced; run from another "
        "folder, or give another with -o",
    )


def test_a_folder_that_cannot_be_made_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("thresher.emit.replacing.fcntl.flock", refuse)
    assert refused(capsys, "build", "ok.onnx", "-o", "out") == (
        2,
        "build: folder 'out' cannot be written (Permission denied); give another folder with -o",
    )


def test_a_link_stays_and_what_it_names_is_replaced(folder: Path) -> None:
    (folder / "link").symlink_to("real")
    for _ in range(2):
        assert main(["build", "ok.onnx", "-o", "link"]) == 0
        assert (folder / "link").is_symlink()
        assert (folder / "real" / "project.json").is_file()
    assert sorted(path.name for path in folder.iterdir()) == ["link", "ok.onnx", "real"]


def test_the_page_is_never_older_than_the_report(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a simulation found stands in it at once."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    report, page = copy / "reports" / "report.json", copy / "reports" / "report.html"
    assert main(["report", str(copy)]) == 0
    frames = re.compile(r"│frames +│ +│ +2│")
    assert not frames.search(page.read_text())
    assert main(["csim", str(copy), "--frames", "2"]) == 0
    assert json.loads(report.read_text())["simulation"]["csim"]["frames"] == 2
    assert frames.search(page.read_text())
    assert page.stat().st_mtime_ns >= report.stat().st_mtime_ns


def test_commands_that_end_at_once_all_keep_their_results(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for turn in range(3):
                with updating_report(copy) as report:
                    report["accuracy"][f"{number}-{turn}"] = 0.5
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    kept = json.loads((copy / "reports" / "report.json").read_text())["accuracy"]
    assert kept == {f"{number}-{turn}": 0.5 for number in range(4) for turn in range(3)}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda report: report.pop("ties"), "the report lacks 'ties'"),
        (lambda report: report.update(layers={}), "'layers' of the report is not a list"),
        (
            lambda report: report["fifos"][1]["resources"].update(ff="x"),
            "'ff' of 'resources' of entry 1 of 'fifos' of the report is 'x'",
        ),
        (
            lambda report: report.update(simulation={"rtl": []}),
            "'rtl' of 'simulation' of the report is not an object",
        ),
        (
            lambda report: report["estimate"]["next_step"].update(layers=[1]),
            "entry 0 of 'layers' of 'next_step' of 'estimate' of the report is 1",
        ),
    ],
)
def test_a_damaged_report_is_refused(
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], None],
    problem: str,
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    path = copy / "reports" / "report.json"
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    assert refused(capsys, "report", str(copy)) == (
        2,
        f"report: '{path}' is damaged ({problem}); build the project again",
    )


@pytest.mark.parametrize("text", ["", "{", "\0"])
def test_a_report_that_is_no_json_is_refused(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    path = copy / "reports" / "report.json"
    path.write_text(text)
    code, message = refused(capsys, "csim", str(copy))
    assert code == 2
    assert message.startswith(f"report: '{path}' cannot be read (")


def test_a_file_system_that_refuses_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "out/project.json")

    monkeypatch.setattr("thresher.commands.build_project", full)
    assert refused(capsys, "build", "ok.onnx", "-o", "out") == (
        2,
        "files: 'out/project.json': No space left on device; mend that and try again",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["build", "ok.onnx"],
            "thresher build: the following arguments are required: -o/--output; see thresher build --help",
        ),
        ([], "thresher: the following arguments are required: COMMAND; see thresher --help"),
    ],
)
def test_wrong_usage_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert refused(capsys, *arguments) == (2, message)


def _numbers(shape: tuple[int, ...], dtype: str) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.zeros(shape, dtype))


def _pickled(path: Path) -> None:
    np.save(path, np.array([{}]))


def _nan(path: Path) -> None:
    np.save(path, np.full((2, 12), np.nan, np.float32))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_numbers((), "f4"), "inputs: the array has shape []; the model takes [N, 12]"),
        (_numbers((3, 4), "f4"), "inputs: the array has shape [3, 4]; the model takes [N, 12]"),
        (
            _numbers((0, 12), "f4"),
            "inputs: the array holds no frames; give at least one, in the shape [N, 12]",
        ),
        (
            _numbers((3, 12), "c16"),
            "inputs: the array has dtype complex128; give numbers, in the shape [N, 12]",
        ),
        (_nan, "inputs: the array holds NaN or infinity; give finite numbers"),
        (
            _pickled,
            "inputs: file 'x.npy' holds Python objects, which are not read; "
            "save plain numbers with numpy.save",
        ),
        (
            lambda path: _write(path, "x"),
            "inputs: file 'x.npy' is not a .npy file; save plain numbers with numpy.save",
        ),
        (lambda _: None, "inputs: file 'x.npy' does not exist; give the path of a .npy file"),
    ],
)
def test_bad_frames_are_refused(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x.npy")
    assert refused(capsys, "csim", str(project), "--inputs", "x.npy") == (2, message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frames", "0"], "frames: 0 frames cannot be simulated; give 1 or more"),
        (["--trace", "."], "trace: '.' is a folder; give the name of a file"),
        (["--trace", "/dev/null"], "trace: '/dev/null' is no regular file; give the name of a file"),
        (["--labels", "y.npy"], "labels: they belong to frames; give those too, with --inputs"),
    ],
)
def test_bad_run_options_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert refused(capsys, "csim", str(project), *options) == (2, message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frames", "4"], "frames: 4 frames are asked for, and the inputs hold 3; ask for at most 3"),
        (
            ["--labels", "y.npy"],
            "labels: the array has shape [2] and dtype int64; give one whole number per frame, [3]",
        ),
    ],
)
def test_what_does_not_fit_the_frames_is_refused_before_anything_runs(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr("thresher.api.run_csim")
    np.save("x.npy", np.zeros((3, 12), np.float32))
    np.save("y.npy", np.zeros(2, np.int64))
    assert refused(capsys, "csim", str(project), "--inputs", "x.npy", *options) == (2, message)


def test_tables_fit_a_terminal_of_80_columns(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["report", str(project)]) == 0
    shown = capsys.readouterr().out
    for row in ("weight bits in float32", "4,896 (32.0 x)", "frames/s at 100 MHz"):
        assert row in shown
    assert "\033" not in shown


def test_a_folder_that_is_no_project_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = refused(capsys, "csim", str(tmp_path))
    assert (code, message) == (
        2,
        f"project: '{tmp_path}' is not a Thresher project: it holds no project.json; name a folder that "
        "`thresher build` wrote",
    )


def test_csim_says_that_every_beat_is_right(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["csim", str(project)]) == 0
    assert "every beat of every stream equals the golden model (16 frames)" in capsys.readouterr().out


def test_check_names_the_kernel_of_each_node(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "ok.onnx"]) == 0
    shown = capsys.readouterr().out
    for word in ("layer_matmul0", "mvu0", "host prologue", "host epilogue", "the model can be built"):
        assert word in shown
    assert "9 nodes: 6 in hardware, 3 on the host, 0 constants, 0 problems" in shown


def test_check_exits_with_3_where_a_node_is_in_the_way(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _save(_unsupported)(folder)
    assert main(["check", "bad.onnx"]) == 3
    assert "stand in the way" in capsys.readouterr().out
