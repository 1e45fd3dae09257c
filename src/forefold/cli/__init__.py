"""The command line: ``forefold demo | inspect | smear | convert | card | matrix | fold | unfold | fit | limit | export | import | plot | cite | report``.

Only the standard library is imported here; each command imports what it needs when it runs.
"""

from __future__ import annotations

from forefold.cli.command_line import main

__all__ = ["main"]
