"""The domains of ONNX operators that Thresher knows."""

from __future__ import annotations

STANDARD = frozenset({"", "ai.onnx"})
"""ONNX's own operators."""

QONNX = frozenset({"onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general"})
"""QONNX's quantisers, by the names that they have had."""
