"""One HTML file that says what a detector did to a sample: tables, figures, cards and where it all comes from.

The full chain, from events to an unfolded spectrum, and the page that reports it: numbers, pictures, and what to distrust.
"""

from __future__ import annotations

from forefold.workflows.report.demo_page import report_html, write_report
from forefold.workflows.report.section import Section

__all__ = ["Section", "report_html", "write_report"]


def __dir__() -> list[str]:
    return __all__
