"""Errors that a user can act on; defined with the run-time, which travels with projects."""

from thresher_sim.errors import (
    MissingToolError,
    SimulationMismatchError,
    ThresherError,
    ToolFailedError,
    UnsupportedModelError,
    UsageError,
)

__all__ = [
    "MissingToolError",
    "SimulationMismatchError",
    "ThresherError",
    "ToolFailedError",
    "UnsupportedModelError",
    "UsageError",
]
