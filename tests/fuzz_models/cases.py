"""One case by its seed: a good file, what becomes of it, and the command that is given it."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.fuzz_models import values
from tests.fuzz_models.attempt import Attempt, attempt
from tests.fuzz_models.bytes_of import mutate_bytes
from tests.fuzz_models.graphs import mutate_graph, mutate_numbers
from tests.fuzz_networks.description import write_network
from tests.fuzz_networks.generate import random_description
from tests.small_models import small_model

_Kind = Callable[[Random, Path, Path, bool], tuple[Attempt, ...]]

BASES = 40
"""Random networks that mutations begin from, besides the small one."""
_COLUMNS = 12
_DIGITS = "digits"
"""Stands for a number that Python does not write."""


@dataclass(frozen=True)
class Result:
    """The attempts of a case, the last of which decides; `kind` is what was mutated."""

    seed: int
    kind: str
    attempts: tuple[Attempt, ...]

    @property
    def problem(self) -> str | None:
        """What is wrong with one of them, or None."""
        problems = (f"{' '.join(each.arguments)}: {each.problem}" for each in self.attempts if each.problem)
        return next(problems, None)


def try_case(seed: int, folder: Path, project: Path, builds: bool) -> Result:
    """Write the files of case `seed` to the empty `folder`, and run its command there.

    `project` is one that was built from `small_model`, and is copied where it is needed. Where a mutated
    model passes `check`, `builds` says whether it is built too.
    """
    random = Random(seed)
    kind = random.choices(tuple(_KINDS), _WEIGHTS)[0]
    return Result(seed, kind, _KINDS[kind](random, folder, project, builds))


def base_model(random: Random) -> bytes:
    """A good model."""
    place = random.randrange(-BASES // 2, BASES)
    return bytes(small_model().SerializeToString()) if place < 0 else _network(place)


@cache
def _network(seed: int) -> bytes:
    return bytes(write_network(random_description(seed)).proto.SerializeToString())


def _model(
    mutate: Callable[[bytes, Random], bytes], always_builds: bool = False
) -> Callable[[Random, Path, Path, bool], tuple[Attempt, ...]]:
    def run(random: Random, folder: Path, _: Path, builds: bool) -> tuple[Attempt, ...]:
        (folder / "model.onnx").write_bytes(mutate(base_model(random), random))
        os.mkfifo(folder / "pipe")
        (folder / "data").write_bytes(random.randbytes(1000))
        checked = attempt(["check", "model.onnx"], folder)
        if checked.code == 0 and (builds or always_builds):
            return checked, attempt(["build", "model.onnx", "-o", "project"], folder)
        return (checked,)

    return run


def _array(random: Random, folder: Path, project: Path, _: bool) -> tuple[Attempt, ...]:
    shutil.copytree(project, folder / "project")
    (folder / "model.onnx").write_bytes(small_model().SerializeToString())
    (folder / "frames.npy").write_bytes(_drawn_array(random))
    np.save(folder / "good.npy", np.zeros((2, _COLUMNS), np.float32))
    commands = (
        ["verify", "project", "--model", "model.onnx", "--inputs", "frames.npy"],
        ["build", "model.onnx", "-o", "new", "--samples", "frames.npy", "--quantize-float", "8"],
        ["evaluate", "project", "--inputs", "frames.npy", "--labels", "frames.npy", "--no-plot"],
        ["evaluate", "project", "--inputs", "good.npy", "--labels", "frames.npy", "--no-plot"],
    )
    return (attempt(random.choice(commands), folder),)


def _drawn_array(random: Random) -> bytes:
    """A `.npy` file: right but for its bytes, of another shape or type, or of values that do not belong."""
    shape = random.choice(((3, _COLUMNS), (0, _COLUMNS), (3, 5), (_COLUMNS,), (), (2, _COLUMNS, 1), (2,)))
    kind = random.choice(
        ("f4", "f4", "f8", "i8", "u1", "f2", "c8", "?", "U3", "S2", "M8[s]", "V4", ">f4", "g")
    )
    array = np.zeros(shape, np.dtype(kind))
    with np.errstate(all="ignore"):
        if array.size and array.dtype.kind in "fi":
            array.flat[0] = np.asarray(values.real(random)).astype(array.dtype)
    buffer = io.BytesIO()
    np.save(buffer, array)
    return mutate_bytes(buffer.getvalue(), random) if random.random() < 0.6 else buffer.getvalue()


def _folding(random: Random, folder: Path, _: Path, __: bool) -> tuple[Attempt, ...]:
    (folder / "model.onnx").write_bytes(small_model().SerializeToString())
    good = {"mvu0": {"pe": 3, "simd": 4}, "mvu1": {"pe": 1, "simd": 1, "ram_style": "block"}}
    (folder / "folding.json").write_bytes(_drawn_json(json.dumps(good).encode(), random))
    return (attempt(["build", "model.onnx", "-o", "project", "--folding", "folding.json"], folder),)


def _project(random: Random, folder: Path, project: Path, _: bool) -> tuple[Attempt, ...]:
    shutil.copytree(project, folder / "project")
    name = random.choice(("project.json", "project.json", "reports/report.json", "model/network.npz"))
    path = folder / "project" / name
    data = path.read_bytes()
    changed = mutate_bytes(data, random) if name.endswith(".npz") else _drawn_json(data, random)
    path.write_bytes(changed)
    np.save(folder / "good.npy", np.zeros((2, _COLUMNS), np.float32))
    commands = (
        ["report", "project"],
        ["csim", "project"],
        ["evaluate", "project", "--inputs", "good.npy", "--no-plot"],
    )
    return (attempt(random.choice(commands), folder),)


def _drawn_json(data: bytes, random: Random) -> bytes:
    """JSON with other bytes, other values, or values of no sense."""
    choice = random.randrange(4)
    if choice == 0:
        return mutate_bytes(data, random)
    if choice == 1:
        depth = random.choice((50, 1000, 100_000))
        return random.choice(
            (b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth)
        )
    content = json.loads(data)
    for _ in range(random.choice((1, 1, 3))):
        _change_value(content, random)
    return json.dumps(content).replace(f'"{_DIGITS}"', "9" * 5000).encode(errors="surrogatepass")


def _change_value(content: Any, random: Random) -> None:
    """Change some value inside, at any depth."""
    while True:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        if not keys:
            return
        key = random.choice(keys)
        inner = content[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.9:
            content = inner
            continue
        if random.random() < 0.2:
            del content[key]
        else:
            content[key] = _drawn_value(random)
        return


def _drawn_value(random: Random) -> Any:
    return random.choice(
        (values.integer(random), values.real(random), values.text(random), _DIGITS, None, True, [], {}, [[]])
    )


def _options(random: Random, folder: Path, _: Path, __: bool) -> tuple[Attempt, ...]:
    (folder / "model.onnx").write_bytes(small_model().SerializeToString())
    of_both = ("--input-type", "--input-scale", "--quantize-float", "--samples")
    of_build = ("--target-fps", "--clock-mhz", "--part", "--board", "--add-bits", "--labels", "--folding")
    drawn = (
        *(
            "1e99999999999",
            "1/0",
            "0/0",
            "1e-99999999",
            "9" * 5000,
            "nan",
            "inf",
            "-1",
            "0",
            "1e400",
            "1/3/5",
        ),
        *("uint8", "int2", "uint1", "bipolar", "uint99", "2", "1e3", "xc7a35t", "/dev/zero", "pipe", "."),
        values.text(random).replace("\0", ""),
    )
    os.mkfifo(folder / "pipe")
    builds = random.random() < 0.5
    command = ["build", "model.onnx", "-o", "project"] if builds else ["check", "model.onnx"]
    names = random.sample(of_both + of_build * builds, random.choice((1, 1, 2, 3)))
    chosen = [f"{name}={random.choice(drawn)}" for name in names]
    return (attempt([*command, *chosen], folder),)


_KINDS: dict[str, _Kind] = {
    "graph": _model(mutate_graph),
    "graph of two": _model(lambda data, random: mutate_graph(mutate_graph(data, random), random)),
    "numbers": _model(mutate_numbers, always_builds=True),
    "bytes": _model(mutate_bytes),
    "array": _array,
    "folding": _folding,
    "project": _project,
    "options": _options,
}
_WEIGHTS = (8, 4, 3, 3, 2, 2, 2, 2)
"""How often each kind is drawn: models most."""
