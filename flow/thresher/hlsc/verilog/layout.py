"""Lines of SystemVerilog: indentation, wrapping, comments at the end."""

from __future__ import annotations

import textwrap

WIDTH = 110
_FIXED_SPACE = "\N{NO-BREAK SPACE}"


def together(text: str) -> str:
    """A short text that is not to be broken over two lines."""
    return text.replace(" ", _FIXED_SPACE) if len(text) < WIDTH // 2 else text


def statement(text: str, indent: int = 2, comment: str = "") -> list[str]:
    """A statement on as many lines as it needs, with the line of C++ that it comes from."""
    lead = " " * indent
    tail = f"  // {comment}" if comment else ""
    if len(lead + text + tail) <= WIDTH:
        return [(lead + text + tail).replace(_FIXED_SPACE, " ")]
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=lead + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = [line.replace(_FIXED_SPACE, " ") for line in lines]
    return [f"{lead}// {comment}", *lines] if comment else lines


def vector(width: int) -> str:
    """The type of a value inside the module."""
    return "logic" if width == 1 else f"logic [{width - 1}:0]"


def title(text: str) -> list[str]:
    """The head of a section."""
    return ["", f"  // {text}".ljust(WIDTH, " ").rstrip(), "  // " + "-" * min(len(text), WIDTH - 5), ""]
