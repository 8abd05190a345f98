"""What a test needs of the machine: a visible skip in a user's clone, a failure under CI."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

from thresher.errors import MissingToolError
from thresher.tools.open_synthesis import find_yosys


def missing(reason: str) -> NoReturn:
    """End the test, since something that it needs is not there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require_yosys() -> None:
    """Go on only where there is a Yosys that reads SystemVerilog in full."""
    try:
        slang = find_yosys().slang
    except MissingToolError:
        slang = False
    if not slang:
        missing("needs Yosys with read_slang: pip install thresher[synth]")


def require_tclsh() -> None:
    """Go on only where there is a Tcl interpreter."""
    if shutil.which("tclsh") is None:
        missing("needs tclsh: apt-get install tcl")
