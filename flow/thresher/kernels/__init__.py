"""The hardware kernels: each module here is one, with its C++ step in `hls/thresher` under one name.

What a kernel of another package needs is named here as well; `docs/units.md` says how to write one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from thresher.ir.custom import Attribute, CustomOperator, Integers, RefusalError
from thresher.ir.integer import IntCustom, IntNode
from thresher.ir.kernel import Folding, Kernel, Lookahead, RamStyle, Resources, Schedule, Table
from thresher_sim.streams import IntType, StreamLayout

__all__ = [
    "Attribute",
    "CustomOperator",
    "Folding",
    "IntCustom",
    "IntNode",
    "IntType",
    "Integers",
    "Kernel",
    "Lookahead",
    "RamStyle",
    "RefusalError",
    "Resources",
    "Schedule",
    "StreamLayout",
    "Table",
    "all_kernels",
]


@cache
def all_kernels() -> tuple[type[Kernel], ...]:
    """Every kernel class in this package, in the order of their names."""
    found: dict[str, type[Kernel]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, candidate in inspect.getmembers(module, inspect.isclass):
            if issubclass(candidate, Kernel) and not inspect.isabstract(candidate):
                found[candidate.kernel_name()] = candidate
    return tuple(found[name] for name in sorted(found))
