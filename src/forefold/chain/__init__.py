"""The full chain, from events to an unfolded spectrum, and the page that reports it: numbers, pictures, and what to distrust."""

from __future__ import annotations

from forefold.chain.doubts import doubts
from forefold.chain.page import chain_html
from forefold.chain.run import Chain, How, run_chain
from forefold.chain.sample import Sample, collect

__all__ = ["Chain", "How", "Sample", "chain_html", "collect", "doubts", "run_chain"]


def __dir__() -> list[str]:
    return __all__
