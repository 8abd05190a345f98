"""`python -m bench.verification`: the time that holding a build to its model adds to the build."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

import thresher
from bench.cases import choose_case
from bench.convolutional import CNV_FOLDING, RESIDUAL_CYCLES, build_alone, export_residual
from tests.models import export_cnv


@dataclass(frozen=True)
class Added:
    """Seconds of a build with and without the verification, and the bound of what that may add.

    Attributes:
        name: the network.
        build: seconds of the whole build, the verification included.
        without: seconds of the build with `verify=False`.
        verification: seconds of the verification, by its own clock.
        frames: how many frames it compared, of `tensors` tensors.
        tensors: see `frames`.
        most_seconds: the bound, None where it is a share.
        most_share: the bound as a share of the build without, None where it is in seconds.
    """

    name: str
    build: float
    without: float
    verification: float
    frames: int
    tensors: int
    most_seconds: float | None = None
    most_share: float | None = None

    @property
    def share(self) -> float:
        """What is added, of the build without."""
        return self.verification / self.without

    @property
    def within_bounds(self) -> bool:
        """Whether it keeps its bound."""
        return (self.most_seconds is None or self.verification <= self.most_seconds) and (
            self.most_share is None or self.share <= self.most_share
        )

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.most_seconds is not None:
            return f"at most {self.most_seconds:g} s"
        return "" if self.most_share is None else f"at most {self.most_share:.0%}"


def main() -> int:
    """Measure, and return the exit code: 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.verification", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/verification"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/verification.json"), help="the figures")
    arguments = parser.parse_args()
    console, folder = Console(), arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, measured in networks(folder).items():
        with console.status(f"{name} ..."):
            found.append(measured())
    console.print(table(found))
    content = [asdict(each) | {"share": each.share} for each in found]
    arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if all(each.within_bounds for each in found) else 1


def networks(folder: Path) -> Mapping[str, Callable[[], Added]]:
    """What is measured, by name: the network of `bench`, CNV and ResNet-20, as they are built elsewhere."""

    def small() -> Added:
        case = choose_case(folder)
        options = {
            "folding": case.folding,
            "target_fps": case.target_fps,
            "input_type": "uint8",
            "input_scale": float(case.input_scale),
        }
        return measure(case.name, case.model, folder, options, most_seconds=2.0)

    def convolutional() -> Added:
        model = folder / "cnv.onnx"
        export_cnv("cnv_1w1a", dynamo=False, seed=0, path=model)
        return measure("CNV_1W1A", model, folder, {"folding": CNV_FOLDING}, most_share=0.2)

    def residual() -> Added:
        model = export_residual(folder / "resnet20.onnx")
        return measure("ResNet-20", model, folder, {"target_fps": 100e6 / RESIDUAL_CYCLES})

    return {"small": small, "CNV_1W1A": convolutional, "ResNet-20": residual}


def measure(
    name: str,
    model: Path,
    folder: Path,
    options: Mapping[str, object],
    most_seconds: float | None = None,
    most_share: float | None = None,
) -> Added:
    """Build `model` twice, each in a process of its own."""
    target = folder / f"{model.stem}_project"
    without = build_alone(model, target, {**options, "verify": False})["seconds"]
    build = build_alone(model, target, options)["seconds"]
    entry = thresher.load(target).report()["verification"]
    return Added(
        name=name,
        build=build,
        without=without,
        verification=entry["seconds"],
        frames=entry["frames"],
        tensors=entry["tensors"],
        most_seconds=most_seconds,
        most_share=most_share,
    )


def table(found: list[Added]) -> Table:
    """One row a network."""
    result = Table(title="Time of holding a build to its model")
    result.add_column("")
    for column in ("build without, s", "with, s", "verification, s", "share", "frames", "tensors"):
        result.add_column(column, justify="right")
    result.add_column("bound")
    for each in found:
        result.add_row(
            each.name,
            f"{each.without:.2f}",
            f"{each.build:.2f}",
            f"{each.verification:.2f}",
            f"{each.share:.0%}",
            f"{each.frames}",
            f"{each.tensors}",
            each.bound + ("" if each.within_bounds else " (misses)"),
        )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
