"""One HTML file that says what a detector did to a sample: tables, figures, cards and where it all comes from.

`report_html` is of cards side by side, `chain_html` of a full chain from events to an unfolded spectrum.
"""

from __future__ import annotations

from forefold.report.chain import Chain, How, run_chain
from forefold.report.chainpage import chain_html
from forefold.report.doubts import doubts
from forefold.report.page import report_html, write_report
from forefold.report.section import Section

__all__ = [
    "Chain",
    "How",
    "Section",
    "chain_html",
    "doubts",
    "report_html",
    "run_chain",
    "write_report",
]


def __dir__() -> list[str]:
    return __all__
