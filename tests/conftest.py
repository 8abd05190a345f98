"""What all tests share: the public models and data beside the checkout, and hypothesis' settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.float_ends import Trained, train_digits
from tests.needs import missing

ROOT = Path(__file__).resolve().parents[1]

# Simulator builds make single examples slow on a loaded machine; what fails must fail again elsewhere.
settings.register_profile(
    "thresher",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("thresher")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder `../shared/models`. Where it is missing the test is skipped, but fails under CI."""
    return _shared("models")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder `../shared/data`. Where it is missing the test is skipped, but fails under CI."""
    return _shared("data")


@pytest.fixture(scope="session")
def float_ends(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A trained network of binary layers between float ones."""
    return train_digits(tmp_path_factory.mktemp("float_ends"))


def _shared(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        missing(f"needs the public test data in {folder}")
    return folder
