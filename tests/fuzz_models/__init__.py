"""Mutated models, arrays, foldings and projects through the command line, within limits."""
