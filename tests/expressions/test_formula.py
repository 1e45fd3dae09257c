"""Compiled formulas against numpy, against the tree's own evaluation, and against wrong input."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forefold.expressions import Kind, Node, parse
from forefold.expressions.compile import compile_formula
from forefold.expressions.evaluate import Truth, evaluate_tree
from forefold.expressions.program import Program
from forefold.expressions.tables import Table
from forefold.expressions.tree import (
    Binary,
    Call,
    Compare,
    Condition,
    Logic,
    Name,
    Not,
    Number,
    Unary,
)
from forefold.kernels.formula import BLOCK

RNG = np.random.default_rng(4)
N = 3 * BLOCK - 70
NAMES = ("E", "p", "theta", "a", "c", "d")
KINDS: dict[str, Kind] = {name: "condition" if name in "cd" else "number" for name in NAMES}
E = np.exp(RNG.uniform(-5, 3, N))
P = RNG.uniform(0, 4, N)
THETA = RNG.uniform(0, np.pi, N)
A = np.where(np.arange(N) % 7 == 3, np.nan, RNG.normal(size=N)).round(1)
C = RNG.integers(0, 2, N) == 1
D = np.ma.masked_array(RNG.integers(0, 2, N) == 1, RNG.integers(0, 4, N) == 0)
VALUES = {"E": E, "p": P, "theta": THETA, "a": A, "c": C, "d": D}
COLUMNS = np.stack([E, P, THETA, A, C.astype(float), np.ma.filled(D.astype(float), np.nan)])

EXACT = [
    "E + p - a * theta / 2",
    "-E - -p",
    "sqrt(0.02**2 + 0.15**2/E)",
    "0.05 + 0.3 / sqrt(E)",
    "abs(a) + floor(p) - ceil(theta)",
    "E**2 + 0.1056583745**2",
    "(E - 0.5)**-1",
    "p**0.5",
    "p**1 + a",
    "a**0",
    "min(E, p, a) + max(E, p, theta)",
    "where(p > 1, E, theta)",
    "where(a > 0, E, theta)",
    "where(c, where(d, 1, 2), 3)",
    "E",
    "2 * 3 - 1",
    "1 / 0 - a",
    "0 / 0",
    "c",
    "not c or d",
    "d and a > 0",
    "d or a > 0",
    "c == d",
    "c != (a > 0)",
    "0 < a < E <= p",
    "a >= 0",
    "a == a",
    "a != 0.1 and not (theta < 1)",
    "isnan(a)",
    "isfinite(a / 0) or isfinite(E)",
    "where(d, c, a > 0)",
    "true and (d or false)",
    "E > 0.05 and p > 1 and theta < 2 or a < 0",
]
CLOSE = [
    "exp(-p)",
    "log(E) + log10(E)",
    "1 - exp(-(p / 0.3)**2)",
    "E**3 + p**4",
    "E**-0.75",
    "p**theta",
    "a**3",
    "a**5",
    "E**-2",
    "cos(theta) * sin(theta)",
    "tan(theta / 3)",
    "asin(a) + acos(a / 2)",
    "atan(a)",
    "sinh(a) - cosh(a)",
    "tanh(p)",
    "atan2(a, p)",
    "hypot(E, p)",
    "0.9 / (1 + exp(-(p - 1) / 0.2)) + sqrt(2 * pi) * log(2)",
]


def compiled(text: str, **more: Any) -> Program:
    return compile_formula(parse(text, KINDS), NAMES, **more)


def as_number(found: Any) -> Any:
    """Conditions as 1, 0 and NaN."""
    if isinstance(found, Truth):
        return np.where(found.known, found.value.astype(float), np.nan)
    if np.ma.isMaskedArray(found):
        return np.ma.filled(found.astype(float), np.nan)
    return found


@pytest.mark.parametrize("text", EXACT)
def test_like_numpy_to_the_last_bit(text: str) -> None:
    wanted = np.broadcast_to(as_number(parse(text, KINDS).evaluate(VALUES)), N)
    assert np.array_equal(compiled(text).evaluate(COLUMNS), wanted, equal_nan=True)


@pytest.mark.parametrize("text", CLOSE)
def test_like_numpy_within_rounding(text: str) -> None:
    """A few units of each function's last place; sums of functions of size 10 may cancel."""
    wanted = np.broadcast_to(parse(text, KINDS).evaluate(VALUES), N)
    np.testing.assert_allclose(compiled(text).evaluate(COLUMNS), wanted, rtol=4e-15, atol=1e-14)


@pytest.mark.parametrize("text", EXACT + CLOSE)
def test_same_bits_for_any_cut(text: str) -> None:
    program = compiled(text)
    whole = program.evaluate(COLUMNS)
    cuts = [0, 1, 4, BLOCK - 1, BLOCK + 3, 2 * BLOCK + 3, N - 1, N]
    pieces = [program.evaluate(COLUMNS[:, a:b]) for a, b in itertools.pairwise(cuts)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    assert program.evaluate(COLUMNS[:, :0]).shape == (0,)


def grown(numbers: Any, conditions: Any) -> Any:
    """One node more, of either kind."""
    comparison = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.one_of(
        st.builds(Unary, st.sampled_from("+-"), numbers),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/"]), numbers, numbers),
        st.builds(lambda x, n: Binary("**", x, Number(n)), numbers, st.sampled_from([2.0, -1.0])),
        st.builds(
            lambda f, *x: Call(f, x), st.sampled_from(["min", "max"]), numbers, numbers, numbers
        ),
        st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(["abs", "sqrt", "floor"]), numbers),
        st.builds(lambda c, x, y: Call("where", (c, x, y)), conditions, numbers, numbers),
    ), st.one_of(
        st.builds(Not, conditions),
        st.builds(
            lambda o, x: Logic(o, tuple(x)),
            st.sampled_from(["and", "or"]),
            st.lists(conditions, min_size=2, max_size=3),
        ),
        st.builds(lambda o, x, y: Compare((o,), (x, y)), comparison, numbers, numbers),
        st.builds(
            lambda o, r, x, y, z: Compare((o, r), (x, y, z)),
            comparison,
            comparison,
            numbers,
            numbers,
            numbers,
        ),
        st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(["isnan", "isfinite"]), numbers),
        st.builds(lambda c, x, y: Call("where", (c, x, y)), conditions, conditions, conditions),
    )


def trees() -> Any:
    numbers: Any = st.sampled_from(NAMES[:4]).map(Name) | st.sampled_from(
        [0.0, 0.5, 1.0, 3.0, 1e200]
    ).map(Number)
    conditions: Any = st.sampled_from("cd").map(Name) | st.booleans().map(Condition)
    for _ in range(4):
        more_numbers, more_conditions = grown(numbers, conditions)
        numbers, conditions = numbers | more_numbers, conditions | more_conditions
    return numbers | conditions


@given(trees())
def test_random_trees_like_the_tree(tree: Node) -> None:
    kinds = {name: KINDS[name] for name in NAMES}
    some = slice(0, 40)
    values: dict[str, Any] = {name: VALUES[name][some] for name in NAMES[:4]}
    known = ~np.ma.getmaskarray(D[some])
    values |= {"c": Truth(C[some], np.ones(40, bool)), "d": Truth(D.data[some] & known, known)}
    wanted = np.broadcast_to(as_number(evaluate_tree(tree, values)), 40)
    expression = parse("E", KINDS)
    object.__setattr__(expression, "tree", tree)
    object.__setattr__(expression, "kinds", kinds)
    found = compile_formula(expression, NAMES).evaluate(COLUMNS[:, some])
    assert np.array_equal(found, wanted, equal_nan=True)


def test_equal_parts_are_computed_once() -> None:
    program = compiled("sqrt(0.02**2 + 0.3**2/E) + 1 / sqrt(0.02**2 + 0.3**2/E)")
    assert len(program.instructions) == 5
    assert program.needed == ("E",)
    assert program.registers == 3 + 1 + 2


def test_constants() -> None:
    expression = parse("k * E + exp(k)", {"k": "number", "E": "number"})
    program = compile_formula(expression, ["E"], constants={"k": 0.5})
    assert program.prologue == 1
    np.testing.assert_allclose(program.evaluate([[2.0, 4.0]]), np.array([1, 2]) + np.exp(0.5))
    nothing = compile_formula(parse("2 ** 3 ** 2", {}), [])
    assert nothing.evaluate(np.zeros((0, 3))).tolist() == [512.0] * 3


def test_columns_of_any_layout() -> None:
    program = compiled("E + p")
    wanted = program.evaluate(COLUMNS).tobytes()
    assert program.evaluate(np.asfortranarray(COLUMNS)).tobytes() == wanted
    frozen = COLUMNS.copy()
    frozen.setflags(write=False)
    assert program.evaluate(frozen).tobytes() == wanted
    with pytest.raises(ValueError, match=r"columns have shape \(6,\), \(6, n\) is wanted"):
        program.evaluate(np.zeros(6))
    with pytest.raises(ValueError, match=r"columns have shape \(5, 2\), \(6, n\) is wanted"):
        program.evaluate(np.zeros((5, 2)))


def test_angles_out_of_range_have_no_value() -> None:
    program = compile_formula(parse("sin(a) + cos(a) + tan(a)", {"a": "number"}), ["a"])
    assert np.isnan(program.evaluate([[1e5, -1e6, np.inf]])).all()


def test_long_formulas() -> None:
    text = " + ".join(f"sqrt(E * {k})" for k in range(150))
    found = compiled(text).evaluate(COLUMNS)
    assert np.array_equal(found, parse(text, KINDS).evaluate(VALUES))
    nested = "sqrt(" * 39 + "E" + ")" * 39
    assert np.array_equal(compiled(nested).evaluate(COLUMNS), parse(nested, KINDS).evaluate(VALUES))


FUNCTIONS = {"eff_mu": 2, "gain": 1}

WRONG = {
    "": "character 1 (the end): the expression is empty",
    "E +": "character 4 (the end): the expression ends where a value is expected",
    "e": "unknown name 'e' (did you mean 'E'?)",
    "thet": "unknown name 'thet' (did you mean 'theta'?)",
    "eff_nu(p, theta)": "unknown function 'eff_nu' (did you mean 'eff_mu'?)",
    "Gain(p)": "unknown function 'Gain' (did you mean 'gain'",
    "sqr(p)": "unknown function 'sqr' (did you mean 'sqrt'",
    "zzz(p)": "known: abs, acos",
    "eff_mu(p)": "character 1 ('eff_mu(p)'): 1 arguments given: write eff_mu(a, b)",
    "gain(p, E)": "2 arguments given: write gain(a)",
    "gain()": "0 arguments given: write gain(a)",
    "1 + gain": "character 5 ('gain'): gain is a function: write gain(a)",
    "gain * 2": "gain is a function: write gain(a)",
    "gain(p > 1)": "gain takes numbers, this is a condition",
    "gain(c)": "gain takes numbers, this is a condition",
    "gain(p) and c": "'and' takes conditions, this is a number",
    "not gain(p)": "'not' takes conditions, this is a number",
    "gain(p": "this '(' is never closed",
    "gain(p))": "')' without '('",
    "gain(p,)": "')' stands where a value is expected",
    "gain p": "gain is a function: write gain(a)",
    "2gain(p)": "a malformed number, or an operator is missing after it",
    "p ^ 2": "a power is written **",
    "p % 2": "there is no remainder",
    "p[0]": "there is no indexing",
    "p.real": "there are no attributes",
    "E if c else p": "write where(condition, a, b)",
    "where(p, 1, 2)": "where's first argument takes conditions",
    "where(c, 1, d)": "must both be numbers or both be conditions",
    "c + 1": "'+' takes numbers, this is a condition",
    "c == 1": "a condition is compared with a number",
    "1e999": "this number is too large",
    "__import__('os')": "there are no strings",
    "lambda p": "'p' cannot stand here",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_formulas(text: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared
        parse(text, KINDS, FUNCTIONS)
    assert WRONG[text] in str(error.value)
    assert "\n" not in str(error.value)


def test_wrong_namespaces() -> None:
    with pytest.raises(ValueError, match="function 'sqrt': the name is taken by the language"):
        parse("E", KINDS, {"sqrt": 1})
    with pytest.raises(ValueError, match="function 'a b': a name is letters, digits"):
        parse("E", KINDS, {"a b": 1})
    with pytest.raises(ValueError, match="function 'f': 0 arguments, from 1 to 26 are allowed"):
        parse("E", KINDS, {"f": 0})
    with pytest.raises(ValueError, match="'E' is both a name and a function"):
        parse("E", KINDS, {"E": 1})


def test_functions_of_the_namespace() -> None:
    expression = parse("2 * gain(E + p) > gain(gain(p))", KINDS, FUNCTIONS)
    assert dict(expression.functions) == {"gain": 1}
    gains: Any = {**VALUES, "gain": lambda x: x**2}
    assert np.array_equal(expression.select(gains), 2 * (E + P) ** 2 > P**4)
    with pytest.raises(ValueError, match="calls 'gain', the values hold no such function"):
        expression.evaluate(VALUES)
    with pytest.raises(ValueError, match="'gain' holds float, a function was announced"):
        expression.evaluate({**VALUES, "gain": 2.0})


def test_what_a_program_lacks() -> None:
    expression = parse("gain(E) * p", KINDS, FUNCTIONS)
    table = Table.from_lists([[0, 1]], [1])
    with pytest.raises(ValueError, match="no column and no constant is named 'p'"):
        compile_formula(expression, ["E"], {"gain": table})
    with pytest.raises(ValueError, match="there is no table 'gain'"):
        compile_formula(expression, NAMES)
    flat = Table.from_lists([[0, 1], [0, 1]], [[1]])
    with pytest.raises(ValueError, match="table 'gain' has 2 axes, 1 were announced"):
        compile_formula(expression, NAMES, {"gain": flat})
