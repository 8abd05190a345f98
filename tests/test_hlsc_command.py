"""`thresher hlsc`: from a header to a project whose bench finds what is wrong, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.needs import require_yosys
from tests.unit import SOURCES
from thresher.cli import main
from thresher.hlsc_proof import sat
from thresher.tools.open_synthesis import Yosys
from thresher_sim.__main__ import main as run_bench
from thresher_sim.unit import load_unit

PROOF_UNITS = Path(__file__).parent / "hlsc" / "proof_units.hpp"
MERGE = str(SOURCES / "units" / "merge.hpp")
COMMON = ("-I", str(SOURCES / "include"), "--clock-mhz", "200")


def hlsc(top: str, target: Path, *options: str) -> int:
    return main(["hlsc", MERGE, "--top", top, "-o", str(target), *COMMON, *options])


def merged(left: Iterable[int], right: Iterable[int]) -> dict[str, list[int]]:
    """What `demo::Merge<12, 3>` means, in Python: until an input runs dry."""
    rights, total, last = iter(right), 3, 0
    outputs: dict[str, list[int]] = {"sum": [], "odd": []}
    for turn, beat in enumerate(left):
        if turn % 3 == 0:
            fresh = next(rights, None)
            if fresh is None:
                break
            last = fresh
        total = (total + beat) % 2**16
        outputs["sum"].append(total)
        outputs["odd"] += [last] if beat % 2 else []
    return outputs


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose model is built; tests leave it alone."""
    target = tmp_path_factory.mktemp("hlsc") / "merge"
    assert hlsc("demo::Merge<12, 3>", target, "--sim") == 0
    return target


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may change; it finds its model built."""
    return Path(shutil.copytree(built, tmp_path / "project"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line on stderr."""
    code = main(arguments)
    return code, capsys.readouterr().err.removeprefix("thresher: error: ").removesuffix("\n")


def test_what_is_written(built: Path) -> None:
    files = {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()}
    own = {name for name in files if not name.startswith(("build/", "sim/", "hls/thresher/"))}
    assert own == {
        *("Makefile", "README.md", "manifest.json", "report.json", "unit.json", "rtl/files.f"),
        "rtl/Merge_12_3.sv",
        *("hls/reference.cpp", "hls/unit/units/merge.hpp", "hls/unit/common/start.hpp"),
        "hls/unit/include/demo/width.hpp",
    }
    report = json.loads((built / "report.json").read_text())
    assert (report["type"], report["part"], report["family"]) == (
        "demo::Merge<12, 3>",
        "xc7z020clg400-1",
        "xc7",
    )
    assert (report["clock_mhz"], report["inputs"], report["outputs"]) == (
        200.0,
        {"left": 12, "right": 5},
        {"sum": 16, "odd": 5, "never": 3},
    )
    assert re.search(rf"^stages +{report['stages']}$", (built / "README.md").read_text(), re.MULTILINE)


def test_the_same_request_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    assert hlsc("demo::Merge<12, 3>", tmp_path / "again") == 0
    for path in (path for path in (tmp_path / "again").rglob("*") if path.is_file()):
        assert path.read_bytes() == (built / path.relative_to(tmp_path / "again")).read_bytes(), path


def test_the_bench_runs_by_make_alone_with_the_beats_that_the_user_gives(project: Path) -> None:
    """Without Thresher, on a stimulus whose outputs are few enough to be counted by hand."""
    (project / "sim" / "thresher").mkdir()
    (project / "sim" / "thresher" / "__init__.py").write_text("raise SystemExit('not here')\n")
    (project / "stimulus").mkdir(exist_ok=True)
    (project / "stimulus" / "right.txt").write_text("1f  # the first\n\n0x02\n")
    done = subprocess.run(
        ["make", "-C", str(project), f"PYTHON={sys.executable}", "STALL=50", "SEED=7"],
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left    input        12      6           -\n" in done.stdout
    assert "sum     output       16      6           0\n" in done.stdout
    assert "C++: 6 steps, until an input ran dry\n" in done.stdout
    assert "\nevery beat of every output equals the C++\n" in done.stdout


def test_one_character_of_the_rtl_is_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rtl = project / "rtl" / "Merge_12_3.sv"
    text = rtl.read_text()
    assert text.count("total_q + ") == 1
    rtl.write_text(text.replace("total_q + ", "total_q - "))
    left = [0, 0, 5, 7, 1]
    (project / "stimulus").mkdir(exist_ok=True)
    (project / "stimulus" / "left.txt").write_text("".join(f"{beat:x}\n" for beat in left))
    good = merged(left, [0, 0])["sum"]
    assert run_bench(["unit", str(project), "--waves", str(project / "run.fst")]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == (
        f"sim: unit 'Merge_12_3': stream 'sum': beat 2: expected 0x{good[2]:04x}, "
        f"got 0x{(3 - 5) % 2**16:04x} (3 of 5 beats differ)"
    )
    assert "sum     output       16      5           3\n" in captured.out
    assert (project / "run.fst").stat().st_size > 0


def test_thresher_sim_runs_the_bench(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", str(project), "--stall", "10", "--seed", "3", "--resets", "20"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("every beat of every output equals the C++\n")
    told = re.search(
        r"^resets: 20 at random moments; ([\d,]+) beats came out before the last of them$", out, re.M
    )
    assert told is not None and int(told[1].replace(",", "")) > 2000
    assert refused(capsys, "sim", str(project), "--frames", "3") == (
        2,
        f"sim: '{project}' is a unit's project, which takes --stall, --resets, --seed and --waves only; "
        "leave the others out, or see its README for what `make` takes",
    )


def test_a_unit_that_needs_no_beat_is_compared_as_far_as_the_cpp_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hlsc("demo::Ticker", tmp_path / "out", "--name", "ticker") == 0
    assert run_bench(["unit", str(tmp_path / "out"), "--steps", "40"]) == 0
    out = capsys.readouterr().out
    assert "m_axis  output        3     40           0\n" in out
    assert "C++: 40 steps, which is the most that were asked for\n" in out


def test_a_bench_that_would_compare_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hlsc("demo::Silent", tmp_path / "out") == 0
    assert run_bench(["unit", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sim: unit 'Silent': its C++ writes nothing in 1000 steps, which take 1000 beats of 's_axis', so "
        "there is nothing to compare; look at what its writes wait for, give more beats, or other ones in "
        "stimulus/"
    )


def test_a_mistake_in_the_users_cpp_at_run_time_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hardware takes the index for what its bits say; the C++ means nothing with it, which is refused."""
    header, target = tmp_path / "look.hpp", tmp_path / "out"
    header.write_text(
        '#include "thresher/bits.hpp"\n#include "thresher/stream.hpp"\n'
        "struct Look {\n"
        "  struct Ports { thresher::InStream<8> s_axis; thresher::OutStream<8> m_axis; };\n"
        "  void step(Ports& ports) {\n"
        "    const int place = static_cast<int>(ports.s_axis.read());\n"
        "    ports.m_axis.write(static_cast<thresher::uint<8>>(table_[place]));\n"
        "    table_[0] = place;\n"
        "  }\n"
        "  int table_[10] = {};\n};\n"
    )
    assert main(["hlsc", str(header), "--top", "Look", "-o", str(target)]) == 0
    (target / "stimulus" / "s_axis.txt").write_text("9\n3\na\n")
    capsys.readouterr()

    assert run_bench(["unit", str(target)]) == 2

    assert capsys.readouterr().err.splitlines()[-1] == (
        "sim: unit 'Look': look.hpp:7: index 10 is outside of 'int[10]', in step 2 of the C++, which read "
        "beat 2 of 's_axis', 0x0a; keep the index within the array, or give the array more elements"
    )
    assert list((target / "build").glob("run-*")) == []


def test_cpp_that_was_changed_in_the_project_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = project / "hls" / "unit" / "units" / "merge.hpp"
    header.write_text(header.read_text() + "// changed\n")
    assert refused(capsys, "sim", str(project)) == (
        2,
        f"unit: '{project}/hls' has changed since rtl/Merge_12_3.sv was compiled from it; "
        "change the original and run `thresher hlsc` again",
    )


def test_a_project_is_written_again_around_the_users_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    assert hlsc("demo::Ticker", target) == 0
    (target / "stimulus" / "mine.txt").write_text("1\n")
    (target / "hls" / "mine.cpp").touch()
    (target / "unit.json").write_text("{}")
    again = ("demo::Merge<12, 3>", target, "--part", "LFE5U-25F", "--name", "merge")
    assert hlsc(*again) == 2
    assert capsys.readouterr().err == (
        f"thresher: error: hlsc: files of project '{target}' were edited since Thresher wrote them: "
        "'unit.json'; copy what you need and give --force to replace them, or give another folder with -o\n"
    )
    assert hlsc(*again, "--force") == 0
    assert load_unit(target).module == "merge"
    assert (target / "hls" / "mine.cpp").exists()
    assert (target / "stimulus" / "mine.txt").read_text() == "1\n"
    assert sorted(path.name for path in (target / "rtl").iterdir()) == ["files.f", "merge.sv"]
    assert json.loads((target / "report.json").read_text())["family"] == "ecp5"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_header_of_the_working_folder_does_not_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "merge.hpp").write_text("#error not this one\n")
    monkeypatch.chdir(tmp_path)
    assert hlsc("demo::Ticker", tmp_path / "out") == 0


def test_any_character_may_stand_in_the_paths(tmp_path: Path) -> None:
    folder = tmp_path / 'a $HOME #"folder"'
    shutil.copytree(SOURCES / "include", folder / "include")
    (folder / "my unit.hpp").write_text(
        '#include "thresher/stream.hpp"\n#include "demo/width.hpp"\n'
        "struct Pass {\n"
        "  struct Ports { thresher::InStream<demo::kSum> a; thresher::OutStream<demo::kSum> b; };\n"
        "  void step(Ports& p) { p.b.write(p.a.read()); }\n};\n"
    )
    arguments = ["hlsc", str(folder / "my unit.hpp"), "--top", "Pass", "-o", str(folder / "out")]
    assert main([*arguments, "-I", str(folder / "include")]) == 0
    assert (folder / "out" / "hls" / "unit" / "my unit.hpp").is_file()
    assert (folder / "out" / "hls" / "unit" / "include" / "demo" / "width.hpp").is_file()


CLASS = "name a class of merge.hpp that has a nested 'Ports' and a 'void step(Ports&)'"
NOT_A_CLASS = (
    "is not the name of a class; give one such as Unit, my::Unit or 'my::Unit<8, 5>', of letters, digits, _, "
    "::, <>, commas, spaces and minus signs"
)


@pytest.mark.parametrize(
    ("top", "options", "code", "message"),
    [
        ("demo::Ticker; int x", [], 2, f"hlsc: --top 'demo::Ticker; int x' {NOT_A_CLASS}"),
        ("demo::Ticker\n#include <x>", [], 2, f"hlsc: --top 'demo::Ticker\\n#include <x>' {NOT_A_CLASS}"),
        ("", [], 2, f"hlsc: --top '' {NOT_A_CLASS}"),
        (
            "demo::Nope",
            [],
            5,
            f"hlsc: unit 'demo::Nope': clang says: no type named 'Nope' in namespace 'demo'; {CLASS}",
        ),
        (
            "demo::Idle",
            [],
            5,
            f"hlsc: unit 'demo::Idle': clang says: no member named 'step' in 'demo::Idle'; {CLASS}",
        ),
        (
            "demo::Merge<12>",
            [],
            5,
            "hlsc: unit 'demo::Merge<12>': clang says: too few template arguments for class template "
            f"'Merge'; {CLASS}",
        ),
        (
            "demo::Third",
            [],
            3,
            "hlsc: unit 'demo::Third': merge.hpp:76: a floating-point number is computed; scale it to an "
            "integer of fixed point",
        ),
        (
            "demo::Ticker",
            ["--name", "fifo"],
            2,
            "hlsc: module 'fifo' would hide Thresher's own; give another name with --name",
        ),
        (
            "demo::Ticker",
            ["--name", "a-b"],
            2,
            "hlsc: 'a-b' cannot be a module's name; give another with --name, of letters, digits and _",
        ),
        (
            "demo::Ticker",
            ["--name", "always"],
            2,
            "hlsc: 'always' cannot be a module's name; use letters, digits and _, and no keyword",
        ),
        (
            "demo::Ticker",
            ["--clock-mhz", "0"],
            2,
            "hlsc: a clock of 0 MHz makes no sense; give a positive number",
        ),
        (
            "demo::Ticker",
            ["--part", "10CX220"],
            2,
            "hlsc: the delays of part '10CX220' are not known; give one that begins with xc7a, xc7k, xc7s, "
            "xc7v, xc7z, xcau, xcku, xcvu, xczu, xck26, lfe5u",
        ),
        (
            "demo::Ticker",
            ["-I", "nowhere"],
            2,
            "hlsc: there is no folder 'nowhere' to include from; mend -I",
        ),
    ],
)
def test_what_cannot_be_compiled_is_refused_and_nothing_is_written(
    top: str,
    options: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "out"
    arguments = ["hlsc", MERGE, "--top", top, "-o", str(target), *COMMON, *options]
    assert refused(capsys, *arguments) == (code, message)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_users_cpp_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = tmp_path / "bad.hpp"
    header.write_text('#include "thresher/stream.hpp"\nstruct Bad {\n  int x = y;\n};\n')
    assert refused(capsys, "hlsc", str(header), "--top", "Bad", "-o", str(tmp_path / "out")) == (
        5,
        "hlsc: unit 'Bad': bad.hpp:3: clang says: use of undeclared identifier 'y'; mend the C++",
    )


def test_a_missing_header_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = tmp_path / "none.hpp"
    assert refused(capsys, "hlsc", str(header), "--top", "Bad", "-o", str(tmp_path / "out")) == (
        2,
        f"hlsc: there is no file '{header}'; name the header that defines the unit",
    )


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "project.json").write_text("{}")
    assert refused(capsys, "hlsc", MERGE, "--top", "demo::Ticker", "-o", str(tmp_path)) == (
        2,
        f"hlsc: folder '{tmp_path}' exists and is not a Thresher project (it has no unit.json); "
        "give another folder with -o, or empty it",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["project.json"]
    assert refused(capsys, "hlsc", MERGE, "--top", "demo::Ticker", "-o", "/") == (
        2,
        "hlsc: folder '/' exists and is not a Thresher project (it has no unit.json); "
        "give another folder with -o, or empty it",
    )


PROVED = (
    r"proved: 'proof_units::Accumulate', stages: (\d+), does what its C\+\+ does for all beats and stalls in "
    r"cycles 0 to 9 after reset \(\d+\.\d s\)\. Covered: hlsc, from the LLVM IR that clang makes of the "
    r"C\+\+ to the SystemVerilog with its cells\. Trusted: clang, llvmlite, Yosys"
)


def proved(top: str, cycles: int, target: Path) -> int:
    options = ("--clock-mhz", "400", "--prove", str(cycles))
    return main(["hlsc", str(PROOF_UNITS), "--top", top, "-o", str(target), *options])


def test_a_unit_is_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_yosys()
    assert proved("proof_units::Accumulate", 10, tmp_path / "out") == 0
    verdict = re.fullmatch(PROVED, capsys.readouterr().out.splitlines()[-1])
    assert verdict
    assert int(verdict[1]) == json.loads((tmp_path / "out" / "report.json").read_text())["stages"] > 1


def test_a_unit_that_writes_what_was_never_set_is_not_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_yosys()
    assert proved("proof_units::Unset", 8, tmp_path / "out") == 1
    captured = capsys.readouterr()
    fault = captured.out.splitlines()[-1]
    assert re.fullmatch(
        r"cycle \d, m_axis: the unit offers another beat than the C\+\+ writes there, "
        "or one where it writes none",
        fault,
    )
    assert re.search(r"^cycle +s_axis +m_axis +m_axis in C\+\+$", captured.out, re.MULTILINE)
    assert captured.err == (
        f"thresher: error: proof: unit 'proof_units::Unset': {fault}; give every member that its outputs "
        "depend on an initial value; where they all have one, report a fault of hlsc\n"
    )
    assert (tmp_path / "out" / "unit.json").is_file()


@pytest.mark.parametrize("cycles", ["0", "-3"])
def test_a_proof_of_no_cycles_is_refused_and_nothing_is_written(
    cycles: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert proved("proof_units::Count", int(cycles), tmp_path / "out") == 2
    assert capsys.readouterr() == (
        "",
        f"thresher: error: proof: unit 'proof_units::Count': {cycles} cycles prove nothing; "
        "give a positive number\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_proof_needs_yosys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sat, "find_yosys", lambda: Yosys(("yosys",), "0.77", slang=False))
    assert proved("proof_units::Count", 12, tmp_path / "out") == 4
    assert capsys.readouterr().err == (
        "thresher: error: proof: Yosys 0.77 ('yosys') cannot read SystemVerilog: it has no read_slang; "
        "run `pip install thresher[synth]`, or install Yosys' plugin slang\n"
    )


def test_help_suffices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hlsc", "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    options = ("--top", "--clock-mhz", "--part", "--name", "-I DIR", "--sim", "--prove CYCLES")
    for word in (*options, "thresher hlsc median.hpp"):
        assert word in out
