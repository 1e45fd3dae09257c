"""``python -m forefold``: the command line."""

from __future__ import annotations

import sys

from forefold.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
