"""Right and wrong answers are distinguished, in every kind of value that a scheduler may return."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilbench.targets.answers import same

NAN = float("nan")


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


EQUAL = [
    (3, 3),
    (3, 3.0),
    (1.0, 1.0 + 1e-12),
    (NAN, NAN),
    (math.inf, math.inf),
    (1 + 2j, complex(1, 2 + 1e-12)),
    ("a", "a"),
    (b"ab", b"ab"),
    (None, None),
    (Decimal("NaN"), Decimal("NaN")),
    ({1, 2}, {2, 1}),
    ([1, (2, [3.0])], (1, [2, (3,)])),
    ({"a": [1], "b": NAN}, {"b": NAN, "a": (1,)}),
    (np.float64(2.0), 2),
    (np.float32(0.5), 0.5),
    (np.int64(7), 7),
    (np.bool_(True), True),
    (np.longdouble(2), 2.0),
    (np.array(4), 4),
    (np.str_("x"), "x"),
    (np.datetime64("NaT"), np.datetime64("NaT")),
    (np.array([1.0, NAN]), np.array([1.0 + 1e-12, NAN])),
    (np.array([1, 2]), np.array([1.0, 2.0])),
    (np.zeros((0, 3)), np.zeros((0, 3))),
    (np.array(["a", "b"]), np.array(["a", "b"], dtype=object)),
    (np.array([1.0, NAN, None], dtype=object), np.array([1.0, NAN, None], dtype=object)),
    (np.array([[1], [1, 2]], dtype=object), np.array([[1], (1, 2)], dtype=object)),
    (np.array(["2020-01-01", "NaT"], "M8[s]"), np.array(["2020-01-01", "NaT"], "M8[s]")),
    (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 9], mask=[0, 1])),
    (pd.Series([1.0, NAN], name="x"), pd.Series([1.0 + 1e-12, NAN], name="x")),
    (pd.Series(["a", None]), pd.Series(["a", NAN], dtype=object)),
    (pd.Series([1, None], dtype="Int64"), pd.Series([1.0, NAN])),
    (pd.Series([True, False], dtype="boolean"), pd.Series([True, False])),
    (pd.Series(["a"], dtype="category"), pd.Series(["a"])),
    (pd.Series([1, 2], index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),) * 2,
    (frame(a=[1.0], b=["x"]), frame(a=[1], b=["x"])),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]),) * 2,
    (pd.Index(["a", "b"], name="i"), pd.Index(["a", "b"], name="i", dtype=object)),
    (pd.NA, pd.NA),
    (pd.NaT, pd.NaT),
]

DIFFERENT = [
    (3, 4, "got 3, expected 4"),
    (1.0, 1.0 + 1e-6, "got 1.0, expected 1.000001"),
    (2**60, 2**60 + 1, "got 1152921504606846976, expected 1152921504606846977"),
    (NAN, 1.0, "got nan, expected 1.0"),
    (0.0, 1e-300, "got 0.0, expected 1e-300"),
    (True, 1, "got True, expected 1"),
    ("3", 3, "got '3', expected 3"),
    (None, 0, "got None, expected 0"),
    ("a" * 500, "a" * 499, "(str)"),
    (b"abc", b"abd", "got 3 bytes b'abc', expected 3 bytes b'abd'"),
    ([1, 2], [1, 2, 3], "got 2 items, expected 3"),
    ([1, [2, 3]], [1, [2, 4]], "at [1]: at [1]: got 3, expected 4"),
    ({"a": 1}, {"a": 2}, "at ['a']: got 1, expected 2"),
    ({"a": 1}, {"a": 1, "b": 2}, "key 'b' is missing"),
    ({"a": 1, "b": 2}, {"a": 1}, "key 'b' is not expected"),
    ([1], {"0": 1}, "got [1], expected {'0': 1}"),
    (np.array([1, 2]), np.array([1, 3]), "at [1]: got 2, expected 3"),
    (np.array([[1, 2]]), np.array([1, 2]), "got shape (1, 2), expected (2,)"),
    (np.array([1]), [1], "got ndarray, expected list"),
    (np.array([True]), np.array([1]), "got an array of bool, expected int64"),
    (np.array(["a"]), np.array(["b"]), "at [0]: got"),
    (np.ma.array([1, 2], mask=[0, 1]), np.array([1, 2]), "at [1]: got True, expected False"),
    (pd.Series([1, 2]), pd.Series([1, 3]), "at [1]: got 2, expected 3"),
    (pd.Series([1, 2]), pd.Series([1, 2], index=[0, 2]), "index: at [1]: got 1, expected 2"),
    (pd.Series([1], name="a"), pd.Series([1], name="b"), "name: got 'a', expected 'b'"),
    (pd.Series([1.0, NAN]), pd.Series([1.0, 2.0]), "missing values: at [1]: got True, expected False"),
    (pd.Series([1]), frame(a=[1]), "got Series, expected DataFrame"),
    (pd.Series([1]), np.array([1]), "got Series, expected ndarray"),
    (frame(a=[1]), frame(b=[1]), "columns: at [0]: got 'a', expected 'b'"),
    (frame(a=[1]), frame(a=[2]), "column 'a': at [0]: got 1, expected 2"),
    (frame(a=[1, 2]), frame(a=[1]), "index: got 2 rows, expected 1"),
    (pd.NA, 1, "cannot be compared"),
]


@pytest.mark.parametrize(("result", "answer"), EQUAL, ids=lambda value: type(value).__name__)
def test_equal(result: Any, answer: Any) -> None:
    assert same(result, answer) is None
    assert same(answer, result) is None


@pytest.mark.parametrize(("result", "answer", "reason"), DIFFERENT, ids=lambda value: type(value).__name__)
def test_different(result: Any, answer: Any, reason: str) -> None:
    assert reason in (same(result, answer) or "")
    assert same(answer, result) is not None


class Raises:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no\nway")

    __hash__ = None  # type: ignore[assignment]


class Vague:
    def __eq__(self, other: object) -> Any:
        return "perhaps"

    __hash__ = None  # type: ignore[assignment]


class NeverEqual:
    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_is_not_the_same() -> None:
    assert same(Raises(), Raises()) == "cannot be compared: RuntimeError: no way"
    assert same([Raises()], [1]) == "cannot be compared: RuntimeError: no way"
    assert same(object(), object()) == "cannot be compared: objects of type object are equal only to themselves"
    assert same(Vague(), 1) == "cannot be compared: Vague == int gives str, not a bool"
    assert same(NeverEqual(), NeverEqual()) is not None
    deep: list[Any] = []
    deep.append(deep)
    other: list[Any] = []
    other.append(other)
    assert "RecursionError" in (same(deep, other) or "")


@pytest.mark.parametrize(
    "big", ["x" * 10**7, b"x" * 10**7, list(range(10**6)), np.arange(10**6), pd.Series(range(10**6))]
)
def test_reasons_are_one_short_line(big: Any) -> None:
    reason = same(big, 0)
    assert reason is not None
    assert len(reason) < 200
    assert "\n" not in reason


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_everything_is_the_same_as_itself_in_tuples(value: Any) -> None:
    def tupled(item: Any) -> Any:
        return tuple(tupled(part) for part in item) if isinstance(item, list) else item

    assert same(value, tupled(value)) is None


def test_imports_neither_numpy_nor_pandas() -> None:
    code = (
        "import sys; from gilbench.targets.answers import same; assert same([1.5, 'a', b'c'], (1.5, 'a', b'c')) is None;"
        "assert same(1, 2); print('numpy' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_objects_whose_class_does_not_say_when_two_are_equal_are_compared_by_their_attributes() -> None:
    class Point:
        def __init__(self, x: Any, y: int = 0) -> None:
            self.x, self.y = x, y

    class Other(Point):
        pass

    assert same(Point(1.0), Point(1)) is None
    assert same([Point(Point(2))], [Point(Point(2))]) is None
    assert same(Point(1), Point(2)) == "attributes of Point: at ['x']: got 1, expected 2"
    assert same(Point(1), Other(1)) == "got Point, expected Other"
    circle = [Point(1), Point(1)]
    for point in circle:
        point.x = point
    assert "cannot be compared: RecursionError" in str(same(*circle))
