"""`python -m thresher_sim csim|sim|netlist|unit PROJECT`: simulate a project and compare every stream.

It needs no Thresher. Exit codes: 0 all streams agree; 1 a mismatch; 2 wrong usage; 4 a tool is
missing; 5 a tool failed, or the hardware hung; 70 an internal error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .compile import TYPE_SETS
from .csim import simulate_c
from .errors import ThresherError, UsageError
from .internal_error import EXIT_CODE, describe_internal_error
from .netlist import FAMILIES, simulate_netlist
from .progress import ProgressLine
from .project import Project, load_project
from .rtl import PATIENCE, RtlOptions, simulate_rtl
from .system_error import INTERRUPTED, describe_system_error, leave_quietly
from .tables import csim_summary, rtl_summary, stream_table
from .unit_command import add_unit_options, run_unit, unit_options
from .vitis import simulate_vitis


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    try:
        code = _run(options)
        sys.stdout.flush()  # Here an error of it is said, at the interpreter's end it is not.
        return code
    except ThresherError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return leave_quietly()
    except OSError as error:
        print(describe_system_error(error), file=sys.stderr)
        return UsageError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # The one place that takes what nobody foresaw.
        print(describe_internal_error(error, "thresher_sim", given, [options.project]), file=sys.stderr)
        return EXIT_CODE


def _run(options: argparse.Namespace) -> int:
    if options.command == "unit":
        return run_unit(options.project, unit_options(options))
    project = load_project(options.project)
    vectors = options.vectors or project.vectors
    if options.results:
        return _simulate(project, vectors, options.results, options)
    with tempfile.TemporaryDirectory() as scratch:
        return _simulate(project, vectors, Path(scratch), options)


def _simulate(project: Project, vectors: Path, results: Path, options: argparse.Namespace) -> int:
    counted = "resets" if getattr(options, "resets", 0) else "frames"
    progress = ProgressLine(options.command, counted)
    try:
        if options.command == "csim":
            csim = simulate_c(project, vectors, results, options.frames, options.types, progress)
            comparison, summary = csim.comparison, csim_summary(csim)
        else:
            print("sim: building what changed, then running ...", file=sys.stderr, flush=True)
            settings = RtlOptions(
                options.stall,
                options.seed,
                options.jobs,
                options.waves,
                options.patience,
                progress,
                options.resets,
            )
            if options.command == "netlist":
                rtl = simulate_netlist(
                    project, options.file, options.family, vectors, results, options.frames, settings
                )
            else:
                simulate = simulate_vitis if options.rtl == "vitis" else simulate_rtl
                rtl = simulate(project, vectors, results, options.frames, settings)
            comparison, summary = rtl.comparison, rtl_summary(rtl, project)
    finally:
        progress.close()
    print(stream_table(comparison))
    print(summary)
    comparison.check(options.command)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thresher_sim", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    csim = commands.add_parser("csim", help="C simulation of hls/")
    csim.add_argument("--types", choices=TYPE_SETS, default=TYPE_SETS[0], help="_BitInt or AMD's ap_int")
    sim = commands.add_parser("sim", help="cocotb and Verilator simulation of rtl/")
    sim.add_argument(
        "--rtl", choices=("own", "vitis"), default="own", help="that of rtl/, or that of Vitis HLS in build/"
    )
    netlist = commands.add_parser("netlist", help="the same of a netlist, its input and output compared")
    netlist.add_argument("--file", type=Path, required=True, metavar="FILE.v", help="the netlist")
    netlist.add_argument("--family", choices=FAMILIES, default="xc7", help="of its cells")
    for simulation in (sim, netlist):
        _add_run_options(simulation)
    unit = commands.add_parser("unit", help="a unit's SystemVerilog against its C++")
    add_unit_options(unit)
    for command in (csim, sim, netlist, unit):
        command.add_argument("project", type=Path, nargs="?", default=Path(), help="default: this folder")
    for command in (csim, sim, netlist):
        command.add_argument("--vectors", type=Path, metavar="DIR", help="beats to play and to expect")
        command.add_argument("--results", type=Path, metavar="DIR", help="keep the beats that were seen")
        command.add_argument("--frames", type=int, metavar="N", help="the first N frames only")
    return parser


def _add_run_options(sim: argparse.ArgumentParser) -> None:
    sim.add_argument("--stall", type=int, default=0, metavar="P", help="percent of cycles to rest, both ends")
    sim.add_argument(
        "--resets", type=int, default=0, metavar="N", help="reset at N random moments before the frames"
    )
    sim.add_argument("--seed", type=int, default=0, help="of the random stalls and resets")
    sim.add_argument("--jobs", type=int, default=1, help="processes to split the frames over")
    sim.add_argument("--waves", type=Path, metavar="FILE", help="write an FST file")
    sim.add_argument(
        "--patience", type=int, default=PATIENCE, metavar="CYCLES", help="without a beat, then it hangs"
    )


if __name__ == "__main__":
    sys.exit(main())
