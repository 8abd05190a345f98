"""Printing a scheduled unit as one SystemVerilog module."""
