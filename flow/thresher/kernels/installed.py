"""Kernels of other packages: each is an entry point of the group `thresher.kernels` that names its class.

A package is code that the user installed, so it is trusted to run; what is checked is that it fits.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from thresher.errors import UsageError
from thresher.ir.custom import CustomOperator, Operators
from thresher.ir.domains import QONNX, STANDARD
from thresher.ir.kernel import Kernel
from thresher.kernels import all_kernels

GROUP = "thresher.kernels"

MOVED: Mapping[str, str] = MappingProxyType(
    {
        "thresher.graph": "thresher.ir.graph",
        "thresher.hardware.graph": "thresher.ir.hardware",
        "thresher.kernels.base": "thresher.ir.kernel",
        "thresher.lower.branches": "thresher.ir.integer_branches",
        "thresher.lower.integer": "thresher.ir.integer",
        "thresher.onnx_import.custom": "thresher.ir.custom",
        "thresher.onnx_import.join_nodes": "thresher.ir.quant_joins",
        "thresher.onnx_import.map_nodes": "thresher.ir.quant_maps",
        "thresher.onnx_import.nodes": "thresher.ir.quant",
        "thresher.onnx_import.problems": "thresher.errors",
        "thresher.onnx_import.quantisers": "thresher.ir.quantisers",
        "thresher.onnx_import.window": "thresher.ir.window",
    }
)
"""Modules that packages may have imported in versions before 0.2, with their names now."""

# Folders of a project's `hls`, and namespaces, that are Thresher's or the language's own.
_TAKEN_NAMESPACES = frozenset({"thresher", "layers", "std"})
# What a module can raise on import that is not this program's doing.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def available_kernels() -> tuple[type[Kernel], ...]:
    """Thresher's own kernels, then those of installed packages.

    Raises:
        UsageError: An installed package offers what cannot be used; the message names it.
    """
    return (*all_kernels(), *(kernel for _, kernel in _installed()))


def custom_operators() -> Operators:
    """The operators of custom ONNX domains that installed packages bring, by domain and name.

    Raises:
        UsageError: As `available_kernels`.
    """
    return {key: operator for _, kernel in _installed() for key, operator in _named(kernel)}


def _installed() -> list[tuple[EntryPoint, type[Kernel]]]:
    """Every kernel that was installed with the entry point that names it, in a fixed order."""
    found: list[tuple[EntryPoint, type[Kernel]]] = []
    owners: dict[object, str] = {kernel.kernel_name(): "Thresher itself" for kernel in all_kernels()}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name)):
        kernel = _load(entry)
        for key, what in _claims(kernel):
            if key in owners:
                raise _problem(entry, f"offers {what}, which {owners[key]} has too", "remove one of the two")
            owners[key] = f"package '{_package(entry)}'"
        found.append((entry, kernel))
    return found


def _claims(kernel: type[Kernel]) -> Iterator[tuple[object, str]]:
    """What only one kernel may have: its name, and each of its operators."""
    yield kernel.kernel_name(), f"a kernel '{kernel.kernel_name()}'"
    for key, _ in _named(kernel):
        yield key, f"operator {key[1]} of domain '{key[0]}'"


def _named(kernel: type[Kernel]) -> Iterator[tuple[tuple[str, str], type[CustomOperator]]]:
    for operator in kernel.operators():
        yield (operator.domain, operator.op_type), operator


def _load(entry: EntryPoint) -> type[Kernel]:
    """The class that an entry point names, if it is a kernel that projects can be made with."""
    try:
        kernel = entry.load()
    except _BROKEN as error:
        reason = f"cannot be imported ({type(error).__name__}: {' '.join(str(error).split())})"
        moved = MOVED.get(error.name or "") if isinstance(error, ModuleNotFoundError) else None
        remedy = f"import '{moved}' there, which is the module's name now" if moved else "mend or remove it"
        raise _problem(entry, reason, remedy) from error
    if not (inspect.isclass(kernel) and issubclass(kernel, Kernel)) or inspect.isabstract(kernel):
        reason = f"names '{entry.value}', which is no class that implements thresher.kernels.Kernel"
        raise _problem(entry, reason, "mend its entry point, or remove it")
    _check_names(entry, kernel)
    header = kernel.cpp_folder() / f"{kernel.kernel_name()}.hpp"
    if not header.is_file():
        raise _problem(entry, f"lacks the C++ header '{header}'", "put it into the package, or remove that")
    return kernel


def _check_names(entry: EntryPoint, kernel: type[Kernel]) -> None:
    """Names become folders and identifiers of C++ and SystemVerilog."""
    names = (kernel.namespace(), kernel.kernel_name())
    if kernel.namespace() in _TAKEN_NAMESPACES or not all(re.fullmatch("[a-z][a-z0-9_]*", n) for n in names):
        reason = (
            f"has its kernel in module '{kernel.__module__}', whose name cannot be that of a C++ namespace"
        )
        raise _problem(
            entry, reason, "use lower-case letters, digits and _, and none of Thresher's own names"
        )
    for (domain, op_type), _ in _named(kernel):
        if domain in STANDARD | QONNX:
            reason = f"offers operator {op_type} of domain '{domain}', which is not a custom one"
            raise _problem(entry, reason, "name a domain of your own")


def _problem(entry: EntryPoint, reason: str, remedy: str) -> UsageError:
    return UsageError(
        f"kernels: package '{_package(entry)}', entry point '{entry.name}': it {reason}; {remedy}"
    )


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown"
