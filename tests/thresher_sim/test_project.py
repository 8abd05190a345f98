"""project.json: what it says, and what is said of a damaged one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.thresher_sim.example import STREAMS, description
from thresher_sim.errors import UsageError
from thresher_sim.project import Estimate, Layer, load_project


def write(folder: Path, data: object) -> Path:
    path = folder / "project.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_project_is_read(tmp_path: Path) -> None:
    write(tmp_path, description())
    project = load_project(tmp_path)
    assert project.streams == STREAMS
    assert (project.input.name, project.output.name) == ("s_axis", "m_axis")
    assert project.layers == (Layer("twice", "twice", 3), Layer("total", "total", 3))
    assert project.estimate == Estimate(3, 5)
    assert (project.name, project.top, project.clock_mhz) == ("example", "accelerator", 200.0)
    assert (project.vectors, project.build) == (tmp_path / "sim" / "vectors", tmp_path / "build")


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == (
        f"project: '{tmp_path}' is not a Thresher project: it holds no project.json; "
        "name a folder that `thresher build` wrote"
    )


def test_a_file_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == (
        f"project: '{tmp_path / 'project.json'}' cannot be read: it is not JSON: Expecting "
        "property name enclosed in double quotes: line 1 column 2 (char 1); build the project again"
    )


@pytest.mark.parametrize(("data", "found"), [({"schema": 2}, "2"), ([], "None"), ({}, "None")])
def test_another_schema(data: object, found: str, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == (
        f"project: '{path}' has schema {found}, and this simulator reads schema 1; "
        "build the project again with this version"
    )


def _without_streams(data: dict[str, Any]) -> None:
    del data["streams"]


def _with_name(name: object) -> Any:
    def rename(data: dict[str, Any]) -> None:
        data["streams"][1]["name"] = name

    return rename


def _two_inputs(data: dict[str, Any]) -> None:
    data["streams"][1]["role"] = "input"


def _no_lanes(data: dict[str, Any]) -> None:
    data["streams"][0]["lanes"] = "many"


def _zero_lanes(data: dict[str, Any]) -> None:
    data["streams"][0]["lanes"] = 0


def _streams_are_text(data: dict[str, Any]) -> None:
    data["streams"] = "s_axis"


def _stream_is_text(data: dict[str, Any]) -> None:
    data["streams"][0] = "s_axis"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_without_streams, "it lacks 'streams'"),
        (_with_name("../x"), "'../x' is not a name of letters, digits and underscores"),
        (_with_name("a;b"), "'a;b' is not a name of letters, digits and underscores"),
        (_with_name(7), "7 is not a name of letters, digits and underscores"),
        (_with_name("s_axis"), "two streams have the same name"),
        (_two_inputs, "streams go from one input to one output, not ['input', 'input', 'output']"),
        (_no_lanes, "invalid literal for int() with base 10: 'many'"),
        (_zero_lanes, "StreamLayout: 1 vectors of 6 channels in 0 lanes: each is 1 or more"),
        (_streams_are_text, "a list was expected, not 's_axis'"),
        (_stream_is_text, "an object was expected, not 's_axis'"),
    ],
)
def test_a_damaged_project(damage: Any, reason: str, tmp_path: Path) -> None:
    data = description()
    damage(data)
    path = write(tmp_path, data)
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == f"project: '{path}' is damaged: {reason}; build the project again"
