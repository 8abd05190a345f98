"""Tests of the timing of units joined by FIFOs."""
