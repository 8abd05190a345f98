"""Tests of projects for single units."""

from pathlib import Path

SOURCES = Path(__file__).parent / "sources"
