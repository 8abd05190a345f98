"""Fixtures: one example project and one model of a misbehaving device for the whole session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.thresher_sim.example import write_example
from thresher_sim.project import Project, load_project


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of one run of pytest share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def example(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example, whose builds are shared; tests leave its files alone."""
    root = shared / "example"
    if not root.exists():
        beside = tmp_path_factory.mktemp("example")
        write_example(beside)
        try:
            beside.rename(root)
        except OSError:  # another worker was first
            shutil.rmtree(beside)
    return load_project(root)
