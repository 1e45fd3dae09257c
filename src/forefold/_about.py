"""What forefold says of itself, below every other module."""

from __future__ import annotations

from forefold._version import __version__

__all__ = ["__version__"]
