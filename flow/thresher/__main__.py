"""`thresher` and `python -m thresher`: the command line as a process, which signals end in good order."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from thresher_sim.system_error import INTERRUPTED


def main() -> int:
    """Run the command line; its exit code.

    SIGTERM and SIGHUP end it as an interrupt does, with what it has begun removed, and 128 plus their number.
    One that the caller has the process ignore, as `nohup` does SIGHUP, stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    try:
        # Loading it takes a second, in which the user may think better of it.
        from thresher.cli import main as command_line
    except KeyboardInterrupt:
        print("thresher: interrupted", file=sys.stderr)
        return INTERRUPTED
    return command_line()


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
