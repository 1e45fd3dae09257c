"""One HTML file that says what a detector did to a sample: tables, figures, cards and where it all comes from."""

from __future__ import annotations

from forefold.report.page import report_html, write_report
from forefold.report.section import Section

__all__ = ["Section", "report_html", "write_report"]


def __dir__() -> list[str]:
    return __all__
