"""Prove each kernel's unit, pipelined and in one stage: `python -m tests.kernels.prove`.

It takes some 20 minutes. Exit code 1: some units are not proved.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.kernels.test_proof import IN_ONE_STAGE, IN_STAGES, unproved


def main() -> int:
    """Print what is wrong with each unit; 0 if nothing is."""
    plans = [*IN_STAGES, *IN_ONE_STAGE]
    with tempfile.TemporaryDirectory() as folder:
        found = unproved(plans, Path(folder))
    for (name, plan), what in found.items():
        print(f"{name}, {plan}: {what}")
    print(f"prove-kernels: {len(plans) - len(found)} of {len(plans)} units are proved")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
