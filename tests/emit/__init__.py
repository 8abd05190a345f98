"""Tests of what projects are written as."""
