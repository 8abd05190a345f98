"""A user's own unit, from its C++ header to a small project: SystemVerilog, a report, a bench."""

from thresher.unit.documents import report_text
from thresher.unit.project import UnitRequest, unit_report, write_unit_project

__all__ = ["UnitRequest", "report_text", "unit_report", "write_unit_project"]
