"""Where the sources that projects are made of lie: the C++ headers, the cells, the bench."""

from __future__ import annotations

from pathlib import Path

from thresher.errors import MissingToolError

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]


def share_dir(name: str) -> Path:
    """Return the folder `name`, one of `hls`, `rtl` and `rtl_sim`, of a wheel or of a checkout.

    Raises `MissingToolError` where neither holds it.
    """
    for folder in (_PACKAGE / "_share" / name, _CHECKOUT / name):
        if folder.is_dir():
            return folder
    raise MissingToolError(
        f"install: folder '{name}' is missing beside {_PACKAGE}, so this installation is incomplete; "
        "install thresher again"
    )
