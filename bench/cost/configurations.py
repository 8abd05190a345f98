"""Which units are synthesised: their parameters as text, from which `makers` builds the same again.

The rule of the split: layers of networks that people build are held out, so that they judge the fit; the
grids that the fit is made from have other shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HELD_OUT = Path(__file__).with_name("held_out.txt")
FITTED = Path(__file__).with_name("fitted.txt")


@dataclass(frozen=True)
class Configuration:
    """A kernel, or `fifo`, and its parameters: `name=value`, as `makers` takes them."""

    kernel: str
    parameters: tuple[tuple[str, str], ...]
    held_out: bool

    @staticmethod
    def of(kernel: str, parameters: str, held_out: bool) -> Configuration:
        """Read parameters such as `pe=4 simd=8`."""
        pairs = [tuple(each.split("=", 1)) for each in parameters.split()]
        return Configuration(kernel, tuple((name, value) for name, value in pairs), held_out)

    @property
    def text(self) -> str:
        """The parameters in one line."""
        return " ".join(f"{name}={value}" for name, value in self.parameters)

    @property
    def values(self) -> Mapping[str, str]:
        """The parameters by name."""
        return dict(self.parameters)

    def __str__(self) -> str:
        return f"{self.kernel} {self.text}"


def configurations() -> list[Configuration]:
    """All of them, those to fit first."""
    return [*_read(FITTED, held_out=False), *_read(HELD_OUT, held_out=True)]


def _read(path: Path, held_out: bool) -> list[Configuration]:
    lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    parts = [line.partition(" ") for line in lines if line]
    return [Configuration.of(kernel, parameters, held_out) for kernel, _, parameters in parts]
