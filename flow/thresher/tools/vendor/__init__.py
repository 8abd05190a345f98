"""Adapters for the tools of AMD and Intel: they run a project's own scripts and read the reports."""
