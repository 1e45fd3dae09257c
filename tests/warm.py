"""Kernels compiled before the workers of a whole run start, which would each compile them at the same time."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from gun import card, gun, rule

import forefold
from forefold.kernels.jit import compiled_from
from forefold.workflows import warmup

__all__ = ["warm"]


def _cards() -> None:
    for step in (*warmup._smearing(), warmup._matrix):
        step()


def _others() -> None:
    warmup._native_records()
    # events of a gun share numbers, which are read-only then: other types
    forefold.smear(gun(13, 5, theta=1.0), "nusmear-default", rng=1, axis="z")
    forefold.smear(gun(13, 5, theta=1.0), card(rule()), rng=1, axis="z")
    warmup._closed_forms()


def _part(others: bool) -> None:
    with compiled_from(0):
        _others() if others else _cards()


def warm() -> None:
    """Do it in two processes; what is on the disk already is only loaded."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_part, (False, True)))
