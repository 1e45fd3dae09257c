"""Where particles are drawn: on the processor, or on a graphics card."""

from __future__ import annotations

import os

__all__ = ["SETTING", "on_gpu"]

SETTING = "FOREFOLD_DEVICE"
_DEVICES = ("cpu", "cuda")


def on_gpu() -> bool:
    """Whether ``FOREFOLD_DEVICE`` asks for a graphics card; without it there is none.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        The setting is neither ``cpu`` nor ``cuda``.

    Examples
    --------
    >>> on_gpu()
    False
    """
    setting = os.environ.get(SETTING, "") or "cpu"
    if setting not in _DEVICES:
        message = f"{SETTING}: 'cpu' or 'cuda', found {setting!r}"
        raise ValueError(message)
    return setting == "cuda"
