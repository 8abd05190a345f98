"""Tests of networks that fork and join: the smallest units that do, and graphs of them."""
