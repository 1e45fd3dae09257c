"""The expression language: against numpy, against wrong input, and against whatever is typed."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import pytest
from some_columns import COLUMNS, KINDS, A, B, C, D, I

from forefold.expressions import parse
from forefold.expressions.parser import MAX_HEIGHT, MAX_NESTING
from forefold.expressions.tokens import MAX_LENGTH, tokenize
from forefold.expressions.tree import Binary, Compare, Kind, Logic, Name, Not, Number, parts

RIGHT: dict[str, Any] = {
    "a + b": A + B,
    "a - b - 1": A - B - 1,
    "a - (b - 1)": A - (B - 1),
    "a / b / 2": A / B / 2,
    "a * b + 2": A * B + 2,
    "a + b * 2": A + B * 2,
    "-a ** 2": -(A**2),
    "(-a) ** 2": A**2,
    "2 ** 3 ** 2": 512.0,
    "2 ** -1": 0.5,
    "- -a": A,
    "+a": A,
    "1e3 + .5 + 1.": 1001.5,
    "1.5E-3": 0.0015,
    "b ** 0.5": np.sqrt(B),
    "abs(a)": np.abs(A),
    "sqrt(abs(a))": np.sqrt(np.abs(A)),
    "exp(-b)": np.exp(-B),
    "log(b) + log10(b)": np.log(B) + np.log10(B),
    "sin(a) ** 2 + cos(a) ** 2": np.ones(6),
    "tan(a)": np.tan(A),
    "atan2(a, b)": np.arctan2(A, B),
    "asin(a / 10) + acos(a / 10)": np.full(6, np.pi / 2),
    "atan(a)": np.arctan(A),
    "sinh(a) + cosh(a) - exp(a)": np.sinh(A) + np.cosh(A) - np.exp(A),
    "tanh(a)": np.tanh(A),
    "floor(a) + ceil(b)": np.floor(A) + np.ceil(B),
    "hypot(a, b)": np.hypot(A, B),
    "min(a, b)": np.minimum(A, B),
    "max(a, b, 2)": np.maximum(np.maximum(A, B), 2),
    "where(c, a, b)": np.where(C, A, B),
    "where(a > 0, 1, -1) * 2": np.where(A > 0, 2.0, -2.0),
    "cos(pi / 3)": 0.5,
    "a > b": A > B,
    "a >= 1": A >= 1,
    "a < b": A < B,
    "a <= -1": A <= -1,
    "a == 1": A == 1,
    "a != 1": A != 1,
    "0 < a < 2": (A > 0) & (A < 2),
    "0 <= a <= b <= 7": (A >= 0) & (A <= B) & (B <= 7),
    "abs(i) == 14": np.abs(I) == 14,
    "c": C,
    "not c": ~C,
    "not not c": C,
    "c and d": C & D,
    "c or d": C | D,
    "c or d and a > 0": C | (D & (A > 0)),
    "(c or d) and a > 0": (C | D) & (A > 0),
    "not c and d": ~C & D,
    "not (c and d)": ~(C & D),
    "not a > 0": ~(A > 0),
    "c == d": C == D,
    "c != d": C != D,
    "where(c, d, a > 0)": np.where(C, D, A > 0),
    "true and c": C,
    "False or c": C,
    "isnan(log(a))": A < 0,
    "isfinite(1 / a)": A != 0,
    "c and\n  abs(i) == 14\tand b > 0.5": C & (np.abs(I) == 14) & (B > 0.5),
    "a+b>2 and c": (A + B > 2) & C,
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("text", RIGHT)
def test_against_numpy(text: str) -> None:
    expression = parse(text, KINDS)
    wanted = np.asarray(RIGHT[text])
    found = expression.evaluate(COLUMNS)
    if expression.kind == "condition":
        assert not np.ma.getmaskarray(found).any()
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(expression.select(COLUMNS), wanted)
    else:
        # the same operations of the same library, up to identities such as sin2 + cos2 = 1
        np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)


WRONG: dict[str, tuple[int, str]] = {
    "": (1, "the expression is empty"),
    " \n ": (4, "the expression is empty"),
    "a +": (4, "the expression ends where a value is expected"),
    "a > > 1": (5, "'>' stands where a value is expected"),
    "c == not d": (6, "'not' stands where a value is expected: put 'not' and its condition in"),
    "and c": (1, "'and' stands where a value is expected"),
    "a b": (3, "'b' cannot stand here: an operator is expected"),
    "a ^ 2": (3, "'^' is not allowed: a power is written **"),
    "a = 1": (3, "'=' is not allowed: equality is written =="),
    "a <> 1": (3, "'<>' is not allowed: 'not equal' is written !="),
    "c && d": (3, "'&&' is not allowed: write 'and'"),
    "c || d": (3, "'||' is not allowed: write 'or'"),
    "!c": (1, "'!' is not allowed: write 'not'"),
    "c & d": (3, "'&' is not allowed: write 'and'"),
    "a // 2 > 1": (3, "'//' is not allowed: division is written /"),
    "a % 2 == 0": (3, "'%' is not allowed: there is no remainder"),
    "a == 'x'": (6, "there are no strings"),
    "a[0] > 1": (2, "there is no indexing"),
    "a.real > 1": (2, "there are no attributes"),
    "__import__(1)": (1, "unknown function '__import__'"),
    "2a": (1, "a malformed number"),
    "1.2.3": (1, "a malformed number"),
    "0x10": (1, "a malformed number"),
    "1e999 > a": (1, "this number is too large"),
    "a > é": (5, "a character that expressions do not have"),
    "a > \x00": (5, "a character that expressions do not have"),
    "(a > 1": (1, "this '(' is never closed"),
    "a > 1)": (6, "')' without '('"),
    "a, b": (2, "',' outside of a function's parentheses"),
    "(a, b)": (3, "',' cannot stand here"),
    "min(a)": (1, "1 arguments given: write min(a, b, ...)"),
    "atan2(a, b, 1)": (1, "3 arguments given: write atan2(y, x)"),
    "sqrt()": (1, "0 arguments given: write sqrt(a)"),
    "sqrt > 1": (1, "sqrt is a function: write sqrt(a)"),
    "sqr(a)": (1, "unknown function 'sqr' (did you mean 'sqrt'?)"),
    "aa > 1": (1, "unknown name 'aa' (did you mean 'a'?)"),
    "C": (1, "unknown name 'C' (did you mean 'c'?)"),
    "energy > 1": (1, "unknown name 'energy'; known: a, b, c, d, i"),
    "not a": (5, "'not' takes conditions, this is a number"),
    "c and a": (7, "'and' takes conditions, this is a number"),
    "c + 1": (1, "'+' takes numbers, this is a condition"),
    "1 * c": (5, "'*' takes numbers, this is a condition"),
    "-c": (2, "'-' takes numbers, this is a condition"),
    "c == 1": (6, "a condition is compared with a number"),
    "a == true": (6, "a condition is compared with a number"),
    "c < d": (1, "'<' takes numbers, this is a condition"),
    "sqrt(c)": (6, "sqrt takes numbers, this is a condition"),
    "where(a, 1, 2)": (7, "where's first argument takes conditions"),
    "where(c, 1, d)": (13, "where's second and third argument must both be"),
    "a if c else b": (3, "'if' cannot stand here: write where(condition, a, b)"),
    "c AND d": (3, "'AND' cannot stand here: write 'and'"),
    "a in b": (3, "'in' cannot stand here: write a == 1 or a == 2"),
    "(" * 9000: (MAX_NESTING + 1, "nested more than 40 deep"),
    "-" * 9000 + "1": (MAX_NESTING + 1, "nested more than 40 deep"),
    "not " * 2000 + "c": (4 * MAX_NESTING + 1, "nested more than 40 deep"),
    "2**" * 3000 + "2": (3 * MAX_NESTING + 2, "nested more than 40 deep"),
    "sqrt(" * 1500: (5 * (MAX_NESTING + 1), "nested more than 40 deep"),
    "1+" * 4000 + "1": (2 * MAX_HEIGHT, "more than 200 operations one inside the other"),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_wrong_input_is_one_line_that_points(text: str) -> None:
    with pytest.raises(ValueError, match="expression, character") as caught:
        parse(text, KINDS)
    message = str(caught.value)
    place, words = WRONG[text]
    assert words in message
    assert message.startswith(f"expression, character {place} ("), message
    assert message.isprintable()
    assert len(message) < 250


def test_length_is_limited() -> None:
    with pytest.raises(ValueError, match="10001 characters, at most 10000"):
        parse("(" * (MAX_LENGTH + 1), KINDS)


def test_the_deepest_that_is_allowed_is_evaluated() -> None:
    deep = "(" * MAX_NESTING + "a" + ")" * MAX_NESTING
    np.testing.assert_array_equal(parse(deep, KINDS).evaluate(COLUMNS), A)
    terms = " + ".join(["1"] * MAX_HEIGHT)
    assert parse(terms, KINDS).evaluate({}) == MAX_HEIGHT
    many = " or ".join(f"i == {n}" for n in range(500))
    np.testing.assert_array_equal(parse(many, KINDS).select(COLUMNS), (I >= 0) & (I < 500))


def test_unknown_is_a_third_truth_value() -> None:
    """Kleene's tables: T, F and U for not known."""
    values = {"T": True, "F": False, "U": None}
    truths = np.array(list("TFU"))
    first, second = (grid.ravel() for grid in np.meshgrid(truths, truths, indexing="ij"))

    def column(letters: Any) -> Any:
        return ak.Array([values[letter] for letter in letters])

    def letters(found: Any) -> str:
        return "".join("U" if x is None else "FT"[x] for x in found.tolist())

    columns = {"c": column(first), "d": column(second)}
    tables = {"c and d": "TFUFFFUFU", "c or d": "TTTTFUTUU", "not c": "FFFTTTUUU"}
    tables |= {"c == d": "TFUFTUUUU", "c != d": "FTUTFUUUU"}
    for text, wanted in tables.items():
        assert letters(parse(text, KINDS).evaluate(columns)) == wanted, text
        chosen = parse(text, KINDS).select(columns)
        np.testing.assert_array_equal(chosen, [letter == "T" for letter in wanted])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a > 1", None),
        ("not a > 1", None),
        ("a == a", None),
        ("a > 1 or true", True),
        ("a > 1 and false", False),
        ("isnan(a)", True),
        ("isfinite(a)", False),
        ("min(a, 1) < 2", None),
        ("where(a > 1, true, true)", None),
        ("where(true, 1, a) == 1", True),
        ("where(c, false, a > 1)", None),
        ("0 < 1 < a", None),
        ("2 < 1 < a", False),
    ],
)
@pytest.mark.parametrize(
    "column", [[math.nan], np.ma.masked_array([5.0], [True]), ak.Array([None, 1.0])[:1]]
)
def test_missing_numbers(text: str, wanted: bool | None, column: Any) -> None:
    found = parse(text, KINDS).evaluate({"a": column, "c": [False]})
    assert np.ma.getdata(found).shape in {(1,), ()}
    assert np.ravel(found).tolist() == [wanted]


def test_where_with_an_unknown_condition_is_nan() -> None:
    found = parse("where(a > 1, 1, 2)", KINDS).evaluate({"a": [math.nan, 0.0, 2.0]})
    np.testing.assert_array_equal(found, [math.nan, 2.0, 1.0])


def test_ieee_arithmetic_is_silent() -> None:
    found = parse("1 / a", KINDS).evaluate({"a": [0.0, -0.0]})
    np.testing.assert_array_equal(found, [np.inf, -np.inf])
    assert parse("sqrt(a) > 0", KINDS).evaluate({"a": [-1.0]}).tolist() == [None]


def test_lists_go_with_one_value_an_event() -> None:
    nested = ak.Array([[1.0, 2.0], [], [3.0]])
    found = parse("a * b", KINDS).evaluate({"a": nested, "b": np.array([10.0, 20.0, 30.0])})
    assert found.tolist() == [[10.0, 20.0], [], [90.0]]
    some = ak.Array([[1.0, None], [], [3.0]])
    columns = {"a": some, "b": 2.0, "c": np.array([True, True, False])}
    assert parse("a < b and c", KINDS).evaluate(columns).tolist() == [[True, None], [], [False]]
    assert parse("a < b and c", KINDS).select(columns).tolist() == [[True, False], [], [False]]
    assert parse("1 < 2", KINDS).select(columns).tolist() is True


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}, "shape"),
        ({"a": [[1.0, 2.0]], "b": 1.0}, "shape"),
        ({"a": ["x"], "b": 1.0}, "holds <U1 values"),
        ({"a": ak.Array([[1.0], [2.0]]), "b": ak.Array([[1.0], []])}, "lists of different lengths"),
        ({"a": ak.Array([[[1.0]]]), "b": 1.0}, "3 dimensions"),
        ({"a": ak.Array([[1.0], [2.0]]), "b": [1.0, 2.0, 3.0]}, "shape"),
    ],
)
def test_columns_that_do_not_fit(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse("a + b", KINDS).evaluate(columns)


def test_columns_of_another_kind_than_was_said() -> None:
    with pytest.raises(ValueError, match="'a' holds conditions, a number was announced"):
        parse("a + 1", KINDS).evaluate({"a": [True]})
    with pytest.raises(ValueError, match="'c' holds numbers, a condition was announced"):
        parse("not c", KINDS).evaluate({"c": [1.0]})


def test_a_number_selects_nothing() -> None:
    with pytest.raises(ValueError, match="'a \\+ 1' is a number, a selection is a condition"):
        parse("a + 1", KINDS).select(COLUMNS)


def test_only_what_is_named_is_looked_up_and_once() -> None:
    asked: list[str] = []

    class Namespace(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            asked.append(name)
            return super().__getitem__(name)

    parse("a > 0 and a < 2 or a > i", KINDS).select(Namespace(COLUMNS))
    assert asked == ["a", "i"]


def test_trees_are_frozen_and_compare_by_content() -> None:
    one, two = (parse(text, KINDS) for text in ("a>1 and not c", " a > 1  and  not c "))
    assert one.tree == two.tree
    assert hash(one.tree) == hash(two.tree)
    wanted = Logic("and", (Compare((">",), (Name("a"), Number(1.0))), Not(Name("c"))))
    assert one.tree == wanted
    with pytest.raises(AttributeError):
        one.tree.operator = "or"  # type: ignore[misc]
    assert parts(Binary("+", Name("a"), Name("b"))) == (Name("a"), Name("b"))


def test_it_leaves_the_caller_no_deeper_than_it_may_go() -> None:
    """The whole of it fits into Python's usual recursion limit, below a deep caller too."""
    worst = "(1+" * (MAX_NESTING - 1) + "1" + ")" * (MAX_NESTING - 1)
    limit = sys.getrecursionlimit()

    def below(depth: int, call: Callable[[], Any]) -> Any:
        return below(depth - 1, call) if depth else call()

    frame, here = sys._getframe(), 0
    while frame.f_back is not None:
        frame, here = frame.f_back, here + 1
    room = 750
    assert below(limit - here - room, lambda: parse(worst, KINDS).evaluate({})) == MAX_NESTING


def test_tokens_know_their_place() -> None:
    assert [(t.text, t.start) for t in tokenize("a >=b")] == [
        ("a", 0),
        (">=", 2),
        ("b", 4),
        ("", 5),
    ]


KINDS_OF_LABELS: dict[str, Kind] = {"kind": "number", "size": "number", "c": "condition"}
LABELS = {"kind": {"0pi": 0, "1pi+": 1, "other": 5}}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("kind == '0pi'", [0]),
        ("'0pi' == kind", [0]),
        ('kind != "0pi"', [1, 2, 3]),
        ("kind == '1pi+' or kind == 'other'", [1, 2]),
        ("size < 3 and kind == 'other'", [2]),
        ("not kind == '0pi' and c", [1, 2, 3]),
    ],
)
def test_labels_stand_for_numbers(text: str, kept: list[int]) -> None:
    columns = {"kind": [0, 1, 5, 4], "size": [1, 2, 2, 4], "c": [True] * 4}
    found = parse(text, KINDS_OF_LABELS, labels=LABELS).select(columns)
    assert np.flatnonzero(found).tolist() == kept


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("kind == '0p'", 9, "unknown label '0p' of kind (did you mean '0pi'?)"),
        ("kind == 'no'", 9, "unknown label 'no' of kind; known: 0pi, 1pi+, other"),
        ("kind == 0pi", 9, "a label stands in quotes: '0pi'"),
        ("kind < '0pi'", 8, "a label is compared with == or !="),
        ("size == '0pi'", 9, "size has no labels, only kind, as in kind == '0pi'"),
        ("kind == '0pi' or '1pi+'", 18, "a label is compared with kind, as in kind == '0pi'"),
        ("kind == ('0pi')", 10, "a label is compared with kind"),
        ("abs('0pi') > 1", 5, "a label is compared with kind"),
        ("kind == '0pi", 9, "it is never closed"),
        ("kind == '0pi' == size", 9, "size has no labels"),
    ],
)
def test_labels_that_cannot_stand(text: str, place: int, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        parse(text, KINDS_OF_LABELS, labels=LABELS)
    assert f"character {place} (" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_belong_elsewhere_say_where() -> None:
    with pytest.raises(ValueError, match="'far' is in another room"):
        parse("far > 1", {"fur": "number"}, elsewhere={"far": "is in another room"})
