"""Tests of the adapters of external programs."""
