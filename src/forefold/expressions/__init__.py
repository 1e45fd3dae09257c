"""A small language for conditions and formulas: names, numbers, arithmetic, comparisons, and, or, not.

It knows nothing of events: names come from a namespace that is handed in. Nothing of Python is evaluated.

============== =================================================================================
grammar        from loose to tight
============== =================================================================================
``or``         ``a or b``
``and``        ``a and b``
``not``        ``not a``
comparison     ``< <= > >= == !=``, chained as in Python: ``0 < a <= 2``
sum            ``+ -``
product        ``* /``
sign           ``-a``
power          ``**``, from the right: ``2 ** 3 ** 2`` is ``2 ** 9``; ``-a ** 2`` is ``-(a ** 2)``
value          ``1.5e-3``, a name, ``pi``, ``true``, ``false``, ``(...)``, ``sqrt(a)``
============== =================================================================================

A value that is missing (None) or NaN is *not known*: a comparison with it is neither true nor false, ``not``
leaves it unknown, ``false and unknown`` is false, ``true or unknown`` is true, and what is unknown in the end is
not selected. Only ``isnan`` and ``isfinite`` have an answer for it.

Formulas of detector cards: expressions and tables, compiled to programs that the kernels run.

A program gives the same bits on every machine and for any cut of its columns; numpy's functions need not.
"""

from __future__ import annotations

from forefold.expressions.expression import Expression, limits, parse
from forefold.expressions.functions import CONSTANTS, FUNCTIONS
from forefold.expressions.tree import Kind, Node

__all__ = ["CONSTANTS", "FUNCTIONS", "Expression", "Kind", "Node", "limits", "parse"]
