"""Errors and warnings that a user can act on; errors come from the run-time, which travels with projects."""

from thresher_sim.errors import (
    MissingToolError,
    SimulationMismatchError,
    ThresherError,
    ToolFailedError,
    UnsupportedModelError,
    UsageError,
)

__all__ = [
    "HostLayerWarning",
    "InputWarning",
    "MissingToolError",
    "SimulationMismatchError",
    "ThresherError",
    "ThresherWarning",
    "ToolFailedError",
    "UnsupportedModelError",
    "UsageError",
]


class ThresherWarning(UserWarning):
    """Base of every warning: something is allowed, and probably not what is meant."""


class InputWarning(ThresherWarning):
    """Inputs, or the type and scale of the hardware's input, do not fit the model's first quantiser."""


class HostLayerWarning(ThresherWarning):
    """Layers stay on the host that could be in hardware."""
