"""Reading files that nobody vouches for: regular ones only, up to a size, and JSON that can be evaluated."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NoReturn

MOST_JSON_BYTES = 64 << 20
MOST_DIGITS = 18
"""Digits of a whole number of JSON: it then fits 64 bits."""


class UnreadableError(ValueError):
    """A file that is there and is not what it should be; the text is the reason, `it is no regular file`."""


def read_bytes(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        UnreadableError: It is a folder, a pipe or a device, or holds more than `most` bytes.
        OSError: It is absent or cannot be read.
    """
    check_regular(path)
    with path.open("rb") as file:
        # What passes for a regular file may wait for more where there is nothing, as /proc/kmsg does.
        os.set_blocking(file.fileno(), False)
        data: bytes | None = file.read(most + 1)
    if data is None:
        raise UnreadableError("it is no regular file")
    if len(data) > most:
        raise UnreadableError(f"it holds more than {most >> 20} MiB")
    return data


def check_regular(path: Path) -> None:
    """Raises `UnreadableError` for a folder, a pipe or a device, on which reading may never end."""
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    if not path.is_file():
        raise UnreadableError("it is a folder" if path.is_dir() else "it is no regular file")


def read_json(path: Path) -> Any:
    """The value of a JSON file in UTF-8.

    Raises:
        UnreadableError: As `read_bytes` for 64 MiB, or it is not JSON, is nested too deeply, or holds a
            number beyond 18 digits or beyond the range of floats.
        OSError: It is absent or cannot be read.
    """
    data = read_bytes(path, MOST_JSON_BYTES)
    try:
        return json.loads(data.decode(), parse_int=_whole, parse_float=_finite, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise UnreadableError("it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise UnreadableError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise UnreadableError(f"it holds a whole number of more than {MOST_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise UnreadableError("it holds a number beyond the range of floats")
    return value


def _no_number(name: str) -> NoReturn:
    raise UnreadableError(f"it holds {name}, which is no number of JSON")
