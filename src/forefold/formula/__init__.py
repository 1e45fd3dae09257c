"""Formulas of detector cards: expressions and tables, compiled to programs that the kernels run.

A program gives the same bits on every machine and for any cut of its columns; numpy's functions need not.
"""

from __future__ import annotations

from forefold.formula.compiler import compile_formula
from forefold.formula.program import Program
from forefold.formula.table import Table

__all__ = ["Program", "Table", "compile_formula"]
