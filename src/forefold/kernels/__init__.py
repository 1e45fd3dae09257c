"""The only room that knows numba: random numbers, elementary functions, the smearing loop.

Nothing here knows what a muon is.  Everything that a draw depends on is built from IEEE basic
operations (+, -, x, /, square root), so the bits do not depend on the machine's mathematical library.
"""

from __future__ import annotations

from forefold.kernels.fate import Fate

__all__ = ["Fate"]
