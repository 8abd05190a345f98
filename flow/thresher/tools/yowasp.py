"""`python -m thresher.tools.yowasp PACKAGE FUNCTION ARGUMENT ...`: run a YoWASP program with a larger stack.

A WebAssembly program has 512 KiB of stack at first, and Yosys recurses along combinational paths. The
console scripts of the packages offer no way to raise it.
"""

from __future__ import annotations

import importlib
import sys
import threading

# wasmtime refuses a stack of 2 MiB or more; the thread's own stack has to hold it.
_WASM_STACK_BYTES = 2_000_000
_THREAD_STACK_BYTES = 16 << 20


def main() -> int:
    """Run the function of the package on the arguments, and return the program's exit code."""
    package, function, *arguments = sys.argv[1:]
    wasmtime = vars(importlib.import_module("wasmtime"))
    plain = wasmtime["Config"]

    def roomy() -> object:
        config = plain()
        config.max_wasm_stack = _WASM_STACK_BYTES
        return config

    wasmtime["Config"] = roomy
    threading.stack_size(_THREAD_STACK_BYTES)
    code: int = getattr(importlib.import_module(package), function)(arguments)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
