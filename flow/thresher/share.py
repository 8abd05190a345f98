"""Where the sources that projects are made of lie: C++ headers, SystemVerilog cells, the run-time."""

from __future__ import annotations

from pathlib import Path

import thresher_sim
from thresher.errors import MissingToolError

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]


def share_dir(name: str) -> Path:
    """Return the folder of the C++ headers (`hls`) or of the SystemVerilog cells (`rtl`).

    It is found in an installed wheel and in a checkout. `rtl_sim` gives the folder that holds the
    package `thresher_sim`. Raises `MissingToolError` where there is no such folder.
    """
    if name == "rtl_sim":
        return Path(thresher_sim.__file__).resolve().parents[1]
    for folder in (_PACKAGE / "_share" / name, _CHECKOUT / name):
        if folder.is_dir():
            return folder
    raise MissingToolError(
        f"install: folder '{name}' is missing beside {_PACKAGE}, so this installation is incomplete; "
        "install thresher again"
    )
