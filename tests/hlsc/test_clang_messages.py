"""What clang says is put down to the C++ only where it is the C++'s."""

from __future__ import annotations

import pytest

from thresher.hlsc.clang_messages import refusal

MACHINE = (
    "free space among the temporary files, or let TMPDIR and XDG_CACHE_HOME name folders that can be written"
)


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        (
            "error: unable to resolve zig cache directory: AppDataDirUnavailable\n",
            f"clang says: unable to resolve zig cache directory: AppDataDirUnavailable; {MACHINE}",
        ),
        (
            "LLVM ERROR: IO failure on output stream: No space left on device\n",
            f"clang says: LLVM ERROR: IO failure on output stream: No space left on device; {MACHINE}",
        ),
        (
            'unit.hpp:3:1: error: static assertion failed: "no space left"\n',
            'unit.hpp:3: clang says: static assertion failed: "no space left"; mend the C++',
        ),
        ("Segmentation fault\n", "clang says: Segmentation fault; mend the C++"),
    ],
)
def test_the_remedy_is_for_what_is_wrong(stderr: str, message: str) -> None:
    assert str(refusal("Unit", "unit.hpp", stderr)) == f"hlsc: unit 'Unit': {message}"
