"""How a unit's report reads."""

from __future__ import annotations

from thresher.unit.documents import report_text


def test_short_values_stand_in_lines_and_long_ones_below() -> None:
    report = {
        "module": "Median",
        "clock_mhz": 200.0,
        "stage_ns": [1.5, 3.25],
        "inputs": {"s_axis": 8},
        "recurrence": None,
        "cells": [],
        "memories": [
            {"cell": "ram", "name": "line", "width": 9, "depth": 3},
            {"cell": "rom", "name": "weights", "width": 12, "depth": 1024, "style": "block"},
        ],
        "warnings": ["stage 0 is too long", "so is stage 1"],
    }
    assert report_text(report) == (
        "module      Median\n"
        "clock mhz   200\n"
        "stage ns    1.5, 3.25\n"
        "inputs      s_axis 8\n"
        "recurrence  none\n"
        "cells       none\n"
        "\n"
        "memories:\n"
        "cell  name     width  depth  style\n"
        "ram   line         9      3  none\n"
        "rom   weights     12   1024  block\n"
        "\n"
        "warnings:\n"
        "- stage 0 is too long\n"
        "- so is stage 1"
    )
