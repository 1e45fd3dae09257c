"""Columns that expressions of tests name."""

from __future__ import annotations

import numpy as np

from forefold.expressions import Kind

KINDS: dict[str, Kind] = {
    "a": "number",
    "b": "number",
    "i": "number",
    "c": "condition",
    "d": "condition",
}
A = np.array([-2.5, -1.0, 0.0, 0.3, 1.0, 7.0])
B = np.array([1.0, 2.0, 0.5, 4.0, 3.0, 7.0])
I = np.array([14, -14, 12, -12, 16, 13])
C = np.array([True, False, True, False, True, False])
D = np.array([True, True, False, False, True, False])
COLUMNS = {"a": A, "b": B, "i": I, "c": C, "d": D}
