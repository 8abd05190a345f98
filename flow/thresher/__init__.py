"""Thresher: from trained binary and low-bit networks to verified FPGA dataflow accelerators."""

from typing import Any

__all__ = [
    "Accelerator",
    "HostLayerWarning",
    "InputWarning",
    "SimulationResult",
    "ThresherError",
    "ThresherWarning",
    "build",
    "evaluate",
    "load",
]

_ERRORS = frozenset({"HostLayerWarning", "InputWarning", "ThresherError", "ThresherWarning"})


def __getattr__(name: str) -> Any:
    # Lazily, so that one part of the package (hlsc, say) does not load all the others.
    if name in _ERRORS:
        from thresher import errors

        return getattr(errors, name)
    if name == "evaluate":
        from thresher.evaluation import evaluate

        return evaluate
    if name in __all__:
        from thresher import api

        return getattr(api, name)
    raise AttributeError(f"module 'thresher' has no attribute {name!r}")
