"""Tests of folding, joining and timing."""
