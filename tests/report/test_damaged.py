"""A report of which anything is missing, or is something else, is refused in one line or read."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import thresher
from tests.small_models import save_small_model
from thresher.errors import UsageError
from thresher.report.content import read_report
from thresher.report.tables import print_report

OTHERS: tuple[Any, ...] = (None, "x")


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report with a simulation, accuracies and a verification of a user's frames."""
    folder = tmp_path_factory.mktemp("report")
    model = save_small_model(folder / "model.onnx")
    accelerator = thresher.build(model, folder / "project")
    frames, labels = np.zeros((4, 12), np.float32), np.zeros(4, np.int64)
    accelerator.csim(frames, labels)
    accelerator.verify(model, frames)
    report: dict[str, Any] = accelerator.report()
    return report


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys and indices that lead to each value, the first of each list only."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def damaged(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in places(content):
        for other in ("nothing", *OTHERS):
            changed = copy.deepcopy(content)
            inner: Any = changed
            for key in path[:-1]:
                inner = inner[key]
            if other == "nothing":
                del inner[path[-1]]
            else:
                inner[path[-1]] = other
            yield f"{path}: {other!r}", changed


def test_whatever_is_missing_or_is_something_else(content: dict[str, Any], tmp_path: Path) -> None:
    outcomes, wrong = {"read": 0, "refused": 0}, []
    for what, changed in damaged(content):
        (tmp_path / "report.json").write_text(json.dumps(changed))
        try:
            print_report(Console(file=io.StringIO(), width=100), read_report(tmp_path / "report.json"))
            outcomes["read"] += 1
        except UsageError as error:
            outcomes["refused"] += 1
            if "\n" in str(error):
                wrong.append(what)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            wrong.append(f"{what}: {error!r}")
    assert wrong == []
    assert min(outcomes.values()) > 50, outcomes
