"""The consoles that commands print on."""

from __future__ import annotations

import rich.console


class Console(rich.console.Console):
    """A console that lets the command line know where nobody reads what it prints any more."""

    def on_broken_pipe(self) -> None:
        """Raise the `BrokenPipeError` that this is called for, where rich itself ends with exit code 1."""
        raise  # noqa: PLE0704  (rich calls this from within `except BrokenPipeError`)
