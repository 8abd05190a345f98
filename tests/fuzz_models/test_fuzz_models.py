"""Mutated files on the command line; `make fuzz-models` tries many more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz_models.__main__ import make_project, try_all

CASES = 200
_AT_ONCE = 50


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project."""
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize("first", range(0, CASES, _AT_ONCE))
def test_every_file_is_taken_or_refused(first: int, project: Path) -> None:
    results = try_all(project, 10, range(first, first + _AT_ONCE))

    assert [f"{result.seed} {result.kind}: {result.problem}" for result in results if result.problem] == []
    # Both happens: what is mutated is neither always broken nor always good.
    assert {0, 2, 3} <= {result.attempts[-1].code for result in results}
