"""Any text at all: expressions that a machine makes up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from some_columns import COLUMNS, KINDS

from forefold.expressions import FUNCTIONS, parse

words = st.one_of(
    st.sampled_from(
        [
            "a",
            "b",
            "c",
            "d",
            "and",
            "or",
            "not",
            "(",
            ")",
            ",",
            "<",
            "<=",
            "==",
            "+",
            "-",
            "*",
            "/",
            "**",
            "pi",
        ]
    ),
    st.sampled_from(sorted(FUNCTIONS)).map(lambda name: name + "("),
    st.floats(0, 1e300).map(repr),
    st.text(max_size=3),
)


@given(st.one_of(st.text(max_size=60), st.lists(words, max_size=25).map(" ".join)))
def test_any_text_is_an_expression_or_one_clean_error(text: str) -> None:
    try:
        expression = parse(text, KINDS)
    except ValueError as error:
        message = str(error)
        assert message.startswith("expression")
        assert message.isprintable()
        return
    found = expression.evaluate(COLUMNS)
    assert found.shape in {(6,), ()}
    assert found.dtype == (np.bool_ if expression.kind == "condition" else np.float64)


numbers = st.recursive(
    st.one_of(st.sampled_from(["a", "b", "i"]), st.integers(0, 9).map(str)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"abs({t})"),
    ),
    max_leaves=8,
)
conditions = st.recursive(
    st.one_of(
        st.sampled_from(["c", "d"]),
        st.tuples(numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers).map(
            " ".join
        ),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=6,
)


@given(conditions)
def test_the_same_as_python_where_python_has_the_same_grammar(text: str) -> None:
    found = parse(text, KINDS).select(COLUMNS)
    for row in range(6):
        scope = {name: column[row].item() for name, column in COLUMNS.items()}
        # the generated text only: Python is the reference here, never in the package
        assert bool(found if found.ndim == 0 else found[row]) == eval(text, {"abs": abs}, scope)
