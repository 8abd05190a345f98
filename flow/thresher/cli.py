"""The command line: `thresher check | build | verify | csim | sim | synth | hlsc | report | evaluate`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, Protocol

from thresher import commands
from thresher.errors import ThresherError, UsageError, one_line
from thresher.hardware.boards import boards
from thresher.replaced import noticing_a_new_build
from thresher.warn import warnings_as_lines
from thresher_sim.internal_error import EXIT_CODE, describe_internal_error
from thresher_sim.system_error import INTERRUPTED, describe_system_error, leave_quietly

DESCRIPTION = """\
From a trained binary or low-bit network (QONNX) to an FPGA dataflow accelerator, proven equal to an
integer golden model by C simulation and RTL simulation."""

EPILOG = """\
exit codes: 0 done; 1 a simulation, a proof or the verification found a mismatch; 2 wrong usage; 3 the model
is not supported; 4 a tool is missing; 5 a tool failed; 70 an internal error, which is a fault of Thresher's;
130 interrupted; 141 nobody reads what is printed; 128 and the number of another signal that ended it

example:
  thresher build model.onnx -o accelerator --input-type uint8 --input-scale 1/255
  thresher sim accelerator --inputs images.npy --labels labels.npy"""

FOLDING_HELP = (
    'JSON file with the parallelism of layers, such as {"mvu0": {"pe": 16, "simd": 49}}; layers that it '
    "leaves out take no more cycles than the slowest that it names"
)

HLSC_EPILOG = """\
A unit is a class with a nested `Ports` of thresher::InStream<N> and thresher::OutStream<N> and a
`void step(Ports&)`, one clock cycle's work; #include "thresher/stream.hpp" is found without -I.
UltraScale and UltraScale+ parts are pipelined by the delays of the slower 7 series.

example:
  thresher hlsc median.hpp --top 'my::Median<8, 5>' --clock-mhz 200 -o median
  make -C median"""

SYNTH_EPILOG = """\
Results are printed beside the estimate and kept in reports/report.json; a later run of the same tool for
the same part replaces them. Scripts, logs and what the tool wrote stay in DIR/build/synth/TOOL until its
next run. nextpnr-ecp5 routes the whole at the project's clock and writes the bitstream accelerator.bit
there, of the best of --seeds; where none meets the clock the result is kept and the exit code is 5.

vivado, vitis-hls and quartus run the project's own scripts, where they are installed, at the project's clock
and without --part, --family, --seed and --seeds. vivado and quartus place and route the whole; vitis-hls
compiles the C++ of the whole and of each unit, and `thresher sim --rtl vitis` then runs its Verilog.

example:
  thresher synth accelerator --tool yosys --family xc7 --jobs 2
  thresher synth accelerator --tool nextpnr-ecp5 --part LFE5U-85F-6BG381C"""

VERIFY_EPILOG = """\
The model runs in onnxruntime with its optimisations off, and by the specification of QONNX's operators. Each
tensor is compared from the model's own values of the tensors before it. A difference is a tie where float32's
rounding can give either integer, by bounds that are computed; any other is a mismatch, exit code 1.

example:
  thresher verify accelerator --model model.onnx --inputs images.npy"""

# The option that takes a fraction.
_FRACTION = "--input-scale"


class _Commands(Protocol):
    """What argparse's subparsers offer; it gives their type no public name."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser: ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code and prints errors as one line on stderr."""
    given = sys.argv[1:] if arguments is None else arguments
    options = None
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold bytes that are no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser().parse_args(_joined(given))
        command: Callable[[argparse.Namespace], int] = options.command
        with warnings_as_lines(), noticing_a_new_build(getattr(options, "project", None)):
            code = command(options)
        sys.stdout.flush()  # Here an error of it is said, at the interpreter's end it is not.
        return code
    except ThresherError as error:
        return _failed(str(error), error.exit_code)
    except OSError as error:
        left = isinstance(error, BrokenPipeError)
        return leave_quietly() if left else _failed(describe_system_error(error), UsageError.exit_code)
    except MemoryError:
        said = (
            "memory: what is asked for does not fit in it; give a smaller model, or fewer frames (--frames)"
        )
        return _failed(said, UsageError.exit_code)
    except KeyboardInterrupt:
        print("thresher: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # The one place that takes what nobody foresaw.
        program = f"thresher {version('thresher')}"
        return _failed(describe_internal_error(error, program, given, _folders(options)), EXIT_CODE)


def _folders(options: argparse.Namespace | None) -> Iterator[Path]:
    """Where what a command writes is looked for: beside its output, else in the working folder."""
    for name in ("output", "project", "json"):
        path = getattr(options, name, None)
        if isinstance(path, Path) and path.absolute().parent.is_dir():
            yield path.parent
    yield Path()


def _failed(message: str, code: int) -> int:
    print(f"thresher: error: {one_line(message)}", file=sys.stderr)
    return code


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--input-scale -1/255` as one word, since argparse takes the fraction for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] == _FRACTION and word.startswith("-") and not word.startswith("--"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "thresher",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"thresher {version('thresher')}")
    commands_group = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands_group)
    _add_build(commands_group)
    _add_verify(commands_group)
    _add_csim(commands_group)
    _add_sim(commands_group)
    _add_synth(commands_group)
    _add_hlsc(commands_group)
    _add_report(commands_group)
    _add_evaluate(commands_group)
    return parser


def _add_command(group: _Commands, name: str, what: str) -> argparse.ArgumentParser:
    return group.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")


def _add_check(group: _Commands) -> None:
    parser = _add_command(
        group, "check", "say of every ONNX node what takes it, or why not and what to change"
    )
    parser.add_argument(
        "model", type=Path, metavar="MODEL.onnx", help="an ONNX file, of QONNX or standard operators"
    )
    _add_input_options(parser)
    _add_quantize_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON too")
    parser.set_defaults(command=commands.check)


def _add_build(group: _Commands) -> None:
    parser = _add_command(group, "build", "turn a model into an accelerator project")
    parser.add_argument(
        "model", type=Path, metavar="MODEL.onnx", help="an ONNX file, of QONNX or standard operators"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="project folder to write"
    )
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument(
        "--target-fps", type=float, metavar="N", help="fold each layer as far as N frames/s allow"
    )
    speed.add_argument("--folding", type=Path, metavar="FILE", help=FOLDING_HELP)
    speed.add_argument(
        "--fit", action="store_true", help="as fast as the LUTs, block RAMs and DSPs of the part allow"
    )
    parser.add_argument(
        "--clock-mhz", type=float, default=100.0, metavar="F", help="clock in MHz (default 100)"
    )
    parser.add_argument(
        "--part",
        metavar="P",
        help="part number: its delays decide the pipeline stages, its size what --fit gives "
        f"(default {commands.DEFAULT_PART})",
    )
    parser.add_argument(
        "--board",
        metavar="B",
        help=f"a board, whose part it then is: {', '.join(boards())}",
    )
    _add_input_options(parser)
    parser.add_argument(
        "--argmax", action="store_true", help="put the index of the largest output in hardware"
    )
    parser.add_argument(
        "--add-bits",
        type=int,
        default=commands.ADD_BITS,
        metavar="N",
        help="bits of the terms of sums and concatenations whose scales have no common grid "
        "(default %(default)s); the report states the error",
    )
    _add_quantize_options(parser)
    parser.add_argument(
        "--labels", type=Path, metavar="Y.npy", help="class of each sample, for the accuracy before and after"
    )
    parser.add_argument(
        "--no-verify",
        action="store_true",
        help="write the project without holding its golden model to the ONNX model; the report says so",
    )
    _add_force(parser)
    parser.set_defaults(command=commands.build)


def _add_verify(group: _Commands) -> None:
    parser = _add_command(
        group,
        "verify",
        "hold a project's golden model to the ONNX model on frames of yours, tensor by tensor",
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = VERIFY_EPILOG
    parser.add_argument("project", type=Path, metavar="DIR", help="a project that `thresher build` wrote")
    parser.add_argument(
        "--model", type=Path, required=True, metavar="MODEL.onnx", help="the model that DIR was built from"
    )
    parser.add_argument(
        "--inputs", type=Path, required=True, metavar="X.npy", help="frames [N, ...] as for csim and sim"
    )
    parser.set_defaults(command=commands.verify)


def _add_quantize_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantize-float",
        type=int,
        metavar="N",
        help="put float layers into hardware, with weights and inputs of N bits (2 to 8)",
    )
    parser.add_argument(
        "--samples",
        type=Path,
        metavar="X.npy",
        help="frames to choose the scales of their inputs by; the build is held to the model on some of them",
    )


def _add_input_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input-type",
        metavar="TYPE",
        help="feed the hardware integers (uint1 to uint8, int2 to int8, bipolar), no host prologue",
    )
    parser.add_argument(
        "--input-scale",
        metavar="S",
        help="the model's input is S times the integer: a number or a fraction, 1/255",
    )
    parser.add_argument(
        "--drop-input-scale",
        action="store_true",
        help="leave out scales that layers compute from their own inputs, as XNOR-Net's K",
    )


def _add_csim(group: _Commands) -> None:
    parser = _add_command(
        group, "csim", "run the C simulation and compare every stream with the golden model"
    )
    _add_run_options(parser)
    parser.add_argument(
        "--types",
        choices=("bitint", "amd"),
        default="bitint",
        help="clang's _BitInt or AMD's ap_int (default bitint)",
    )
    parser.set_defaults(command=commands.csim)


def _add_sim(group: _Commands) -> None:
    parser = _add_command(
        group, "sim", "run the RTL simulation and compare every stream with the golden model"
    )
    _add_run_options(parser)
    parser.add_argument(
        "--stall",
        type=int,
        default=0,
        metavar="P",
        help="stall both ends at random in P percent of the cycles",
    )
    parser.add_argument(
        "--resets",
        type=int,
        default=0,
        metavar="N",
        help="reset at N random moments, in mid frame and in a row too, before the frames are played",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the stalls and resets")
    parser.add_argument(
        "--waves", type=Path, metavar="FILE.fst", help="record all signals for GTKWave or Surfer"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="split the frames over N processes")
    parser.add_argument(
        "--rtl",
        choices=("own", "vitis"),
        default="own",
        help="the project's SystemVerilog, or the Verilog that Vitis HLS made of the same C++ (default own)",
    )
    parser.add_argument(
        "--netlist",
        action="store_true",
        help="simulate what Yosys maps the accelerator to, by the models of its cells; the input and the "
        "output are compared",
    )
    parser.add_argument(
        "--family", choices=commands.NETLIST_FAMILIES, help="family of the netlist's cells (default xc7)"
    )
    parser.set_defaults(command=commands.sim)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", type=Path, metavar="DIR", help="a project that `thresher build` wrote")
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="X.npy",
        help="frames [N, ...] shaped as the model's input (default: the project's vectors)",
    )
    parser.add_argument("--labels", type=Path, metavar="Y.npy", help="class of each frame, for the accuracy")
    parser.add_argument("--frames", type=int, metavar="N", help="only the first N frames")
    parser.add_argument("--trace", type=Path, metavar="FILE.npz", help="write the integers of every stream")


def _add_synth(group: _Commands) -> None:
    parser = _add_command(
        group, "synth", "synthesise a project: size by layer and whole, and the clock where it is routed"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = SYNTH_EPILOG
    parser.add_argument("project", type=Path, metavar="DIR", help="a project that `thresher build` wrote")
    parser.add_argument("--tool", required=True, choices=tuple(commands.ADAPTERS), help="the tool to run")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--part", metavar="P", help="part number (default: the project's)")
    target.add_argument(
        "--family", choices=commands.FAMILIES, help="a family in place of a part, for Yosys' size alone"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--layers", nargs="+", metavar="NAME", help="only these units, each alone; not the whole"
    )
    which.add_argument("--top-only", action="store_true", help="only the whole, no units alone")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="run up to N programs at a time (default 1)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of placing, for nextpnr (default 1)"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=commands.SEEDS,
        metavar="N",
        help="try up to N seeds, from --seed on, until the clock is met (default %(default)s)",
    )
    parser.set_defaults(command=commands.synth)


def _add_hlsc(group: _Commands) -> None:
    parser = _add_command(
        group, "hlsc", "compile a unit of your own, in C++, to SystemVerilog with a report and a bench"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = HLSC_EPILOG
    parser.add_argument("header", type=Path, metavar="UNIT.hpp", help="the header that defines the unit")
    parser.add_argument(
        "--top", required=True, metavar="CLASS", help="the unit's class: my::Unit, or 'my::Median<8, 5>'"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="project folder to write"
    )
    parser.add_argument(
        "--clock-mhz", type=float, default=100.0, metavar="F", help="clock in MHz (default 100)"
    )
    parser.add_argument(
        "--part",
        default=commands.DEFAULT_PART,
        metavar="P",
        help="part number, whose delays decide the pipeline stages (default %(default)s)",
    )
    parser.add_argument("--name", metavar="NAME", help="the module's name (default: made from the class)")
    parser.add_argument(
        "-I",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        dest="include",
        help="folder for #include",
    )
    parser.add_argument(
        "--sim",
        action="store_true",
        help="run the bench at once, as `make` in DIR does; exit code 1: it differs",
    )
    parser.add_argument(
        "--prove",
        type=int,
        metavar="CYCLES",
        help="prove with Yosys that the unit equals its C++ in so many cycles after reset, whatever comes "
        "and whenever; for units of a few bits; exit code 1: it differs",
    )
    _add_force(parser)
    parser.set_defaults(command=commands.hlsc)


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace files of an earlier project in DIR that were edited, or are in the way of new ones",
    )


def _add_report(group: _Commands) -> None:
    parser = _add_command(group, "report", "print a project's tables and write reports/report.html")
    parser.add_argument("project", type=Path, metavar="DIR", help="a project that `thresher build` wrote")
    parser.set_defaults(command=commands.report)


def _add_evaluate(group: _Commands) -> None:
    parser = _add_command(
        group, "evaluate", "measure accuracy, time and size: float twin, quantised model, accelerator"
    )
    parser.add_argument("project", type=Path, metavar="DIR", help="a project that `thresher build` wrote")
    parser.add_argument(
        "--inputs", type=Path, required=True, metavar="X.npy", help="frames [N, ...] as for csim and sim"
    )
    parser.add_argument("--labels", type=Path, metavar="Y.npy", help="class of each frame, for the accuracy")
    parser.add_argument(
        "--model", type=Path, metavar="MODEL.onnx", help="the quantised model that DIR was built from"
    )
    parser.add_argument(
        "--float",
        type=Path,
        metavar="FLOAT.onnx",
        help="a float network for the same inputs, to compare with",
    )
    parser.add_argument("--frames", type=int, metavar="N", help="only the first N frames")
    parser.add_argument("--csim", type=int, metavar="N", help="also simulate the first N as C++")
    parser.add_argument("--rtl", type=int, metavar="N", help="also simulate the first N as RTL")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder for evaluation.json and evaluation.png (default: DIR/reports)",
    )
    parser.add_argument("--no-plot", action="store_true", help="write no evaluation.png")
    parser.set_defaults(command=commands.evaluate)
