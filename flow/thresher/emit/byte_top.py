"""A top for parts with few pins: the accelerator behind streams of one byte."""

from __future__ import annotations

from pathlib import Path

BYTE_TOP = "accelerator_bytes"


def byte_top(in_bytes: int, out_bytes: int) -> str:
    """The SystemVerilog of `accelerator_bytes`, for an accelerator with beats of so many bytes."""
    text = Path(__file__).with_name(f"{BYTE_TOP}.sv").read_text(encoding="utf-8")
    return text.replace("@IN_BYTES@", str(in_bytes)).replace("@OUT_BYTES@", str(out_bytes))
