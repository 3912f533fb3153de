"""Whether a result is the right answer: both are compared by value, whatever the type of container or scalar."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Mapping
from numbers import Number
from typing import Any, Final

RELATIVE_TOLERANCE: Final = 1e-9
NOT_COMPARABLE: Final = "cannot be compared"  # in a reason that says nothing about the values
_SHOWN: Final = 60  # characters of a value in a reason


def same(result: Any, answer: Any) -> str | None:
    """Return None if `result` equals `answer`, otherwise why not, in one short line.

    Lists and tuples are alike, and so are Python's numbers and numpy's. Numbers that are not integers may differ by 1e-9
    of the larger one; NaN equals NaN, and a missing value equals a missing value. What cannot be compared is not the
    same.
    """
    try:
        return _differ(result, answer)
    except Exception as error:  # noqa: BLE001 - comparing runs other people's __eq__, which may raise anything
        return f"{NOT_COMPARABLE}: {type(error).__name__}: {_cut(str(error))}"


def _differ(result: Any, answer: Any) -> str | None:
    result, answer = _plain(result), _plain(answer)
    # numpy and pandas are looked up, not imported: unless they are loaded, neither value can be theirs.
    pd = sys.modules.get("pandas")
    np = sys.modules.get("numpy")
    if pd is not None and _either(result, answer, (pd.DataFrame, pd.Series, pd.Index)):
        return _differ_pandas(pd, result, answer)
    if np is not None and _either(result, answer, np.ndarray):
        return _differ_array(np, result, answer)
    if isinstance(result, Mapping) and isinstance(answer, Mapping):
        return _differ_mapping(result, answer)
    if isinstance(result, list | tuple) and isinstance(answer, list | tuple):
        return _differ_sequence(result, answer)
    if _is_number(result) and _is_number(answer):
        return None if _close(result, answer) else _got(result, answer)
    return _differ_other(result, answer)


def _plain(value: Any) -> Any:
    """Turn numpy's numbers, and arrays without dimensions, into Python's numbers."""
    np = sys.modules.get("numpy")
    if (
        np is None
        or not isinstance(value, np.generic | np.ndarray)
        or value.shape != ()
        or value.dtype.kind not in "biufc"
    ):
        return value
    plain = value.item()
    # A long double has no counterpart in Python: its item() is itself.
    return float(plain) if isinstance(plain, np.floating) else plain


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _close(left: Any, right: Any) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    if isinstance(left, complex) or isinstance(right, complex):
        left, right = complex(left), complex(right)
        return _close(left.real, right.real) and _close(left.imag, right.imag)
    return math.isclose(left, right, rel_tol=RELATIVE_TOLERANCE) or (math.isnan(left) and math.isnan(right))


def _differ_mapping(result: Mapping[Any, Any], answer: Mapping[Any, Any]) -> str | None:
    for key in answer:
        if key not in result:
            return f"key {_show(key)} is missing"
    for key in result:
        if key not in answer:
            return f"key {_show(key)} is not expected"
    for key, value in answer.items():
        reason = _differ(result[key], value)
        if reason is not None:
            return f"at [{_show(key)}]: {reason}"
    return None


def _differ_sequence(result: Any, answer: Any) -> str | None:
    if len(result) != len(answer):
        return f"got {len(result)} items, expected {len(answer)}"
    for at, (got, expected) in enumerate(zip(result, answer, strict=True)):
        reason = _differ(got, expected)
        if reason is not None:
            return f"at [{at}]: {reason}"
    return None


def _differ_other(result: Any, answer: Any) -> str | None:
    if result is answer:
        return None
    # The type too: 1 == True and Decimal(1) == 1.
    if isinstance(result, bool) != isinstance(answer, bool):
        return _got(result, answer)
    if all(getattr(type(value), "__eq__") is object.__eq__ for value in (result, answer)):  # noqa: B009
        return _differ_attributes(result, answer)
    equal = result == answer
    np = sys.modules.get("numpy")
    if np is not None and isinstance(equal, np.bool_):
        equal = bool(equal)
    if not isinstance(equal, bool):
        return f"{NOT_COMPARABLE}: {_kind(result)} == {_kind(answer)} gives {_kind(equal)}, not a bool"
    if equal or (_is_missing(result) and _is_missing(answer)):
        return None
    return _got(result, answer)


def _differ_attributes(result: Any, answer: Any) -> str | None:
    """Compare objects whose class does not define equality, each of which would equal only itself."""
    if type(result) is not type(answer):
        return _got_kind(result, answer)
    attributes = [getattr(value, "__dict__", None) for value in (result, answer)]
    if not all(attributes):
        return f"{NOT_COMPARABLE}: objects of type {_kind(result)} are equal only to themselves"
    return _labeled(f"attributes of {_kind(result)}", *attributes)


def _is_missing(value: Any) -> bool:
    """Return whether a value is a number or time that does not equal itself, such as NaT."""
    np = sys.modules.get("numpy")
    kinds = Number if np is None else (Number, np.generic)
    return isinstance(value, kinds) and bool(value != value)


def _differ_array(np: Any, result: Any, answer: Any) -> str | None:
    if not (isinstance(result, np.ndarray) and isinstance(answer, np.ndarray)):
        return _got_kind(result, answer)
    if result.shape != answer.shape:
        return f"got shape {result.shape}, expected {answer.shape}"
    if isinstance(result, np.ma.MaskedArray) or isinstance(answer, np.ma.MaskedArray):
        reason = _differ_array(np, np.ma.getmaskarray(result), np.ma.getmaskarray(answer))
        return reason or _differ_array(np, np.ma.compressed(result), np.ma.compressed(answer))
    kinds = {result.dtype.kind, answer.dtype.kind}
    if "b" in kinds and kinds & set("iufc"):
        return f"got an array of {result.dtype}, expected {answer.dtype}"
    if kinds <= set("biufc"):
        equal = _close_arrays(np, result, answer)
    else:
        equal = result == answer
        if kinds <= set("mM"):
            equal |= np.isnat(result) & np.isnat(answer)
    if not isinstance(equal, np.ndarray) or equal.dtype != bool or equal.shape != result.shape:
        # Arrays inside an array of objects, on which == is of no use: compare item by item.
        equal = np.zeros(result.shape, dtype=bool)
    for at in np.argwhere(~equal):
        place = tuple(int(index) for index in at)
        reason = _differ(result[place], answer[place])
        if reason is not None:
            return f"at {list(place)}: {reason}"
    return None


def _close_arrays(np: Any, result: Any, answer: Any) -> Any:
    if not {result.dtype.kind, answer.dtype.kind} & set("fc"):
        return result == answer
    return np.isclose(result, answer, rtol=RELATIVE_TOLERANCE, atol=0.0, equal_nan=True)


def _differ_pandas(pd: Any, result: Any, answer: Any) -> str | None:
    for kind in (pd.DataFrame, pd.Series, pd.Index):
        if isinstance(result, kind) != isinstance(answer, kind):
            return _got_kind(result, answer)
    if isinstance(result, pd.Index):
        return _labeled("names", list(result.names), list(answer.names)) or _differ_column(pd, result, answer)
    reason = _differ_pandas(pd, result.index, answer.index)
    if reason is not None:
        return f"index: {reason}"
    if isinstance(result, pd.Series):
        return _labeled("name", result.name, answer.name) or _differ_column(pd, result, answer)
    reason = _differ_pandas(pd, result.columns, answer.columns)
    if reason is not None:
        return f"columns: {reason}"
    for at, name in enumerate(answer.columns):  # by position, as a name may occur twice
        reason = _differ_column(pd, result.iloc[:, at], answer.iloc[:, at])
        if reason is not None:
            return f"column {_show(name)}: {reason}"
    return None


def _differ_column(pd: Any, result: Any, answer: Any) -> str | None:
    """Compare the values of two Series or Indexes, whose dtypes may differ (text has three)."""
    if len(result) != len(answer):
        return f"got {len(result)} rows, expected {len(answer)}"
    if isinstance(result, pd.MultiIndex) or isinstance(answer, pd.MultiIndex):
        return _differ_sequence(result.tolist(), answer.tolist())
    got, expected = _array(result.isna()), _array(answer.isna())
    return _labeled("missing values", got, expected) or _differ(_array(result[~got]), _array(answer[~expected]))


def _array(values: Any) -> Any:
    """Turn a Series or Index into an array; Index.isna() is one already."""
    return values.to_numpy() if hasattr(values, "to_numpy") else values


def _labeled(label: str, result: Any, answer: Any) -> str | None:
    reason = _differ(result, answer)
    return None if reason is None else f"{label}: {reason}"


def _either(result: Any, answer: Any, kinds: Any) -> bool:
    return isinstance(result, kinds) or isinstance(answer, kinds)


def _got(result: Any, answer: Any) -> str:
    got, expected = _show(result), _show(answer)
    if got == expected:  # they differ beyond what is shown, or only in type
        got, expected = f"{got} ({_kind(result)})", f"{expected} ({_kind(answer)})"
    return f"got {got}, expected {expected}"


def _got_kind(result: Any, answer: Any) -> str:
    return f"got {_kind(result)}, expected {_kind(answer)}"


def _kind(value: Any) -> str:
    return type(value).__name__


def _show(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        # repr would need four characters per byte, of what may be 64 MB.
        return f"{len(value)} bytes {_cut(repr(bytes(value[:8])))}" + ("..." if len(value) > 8 else "")
    shorter = reprlib.Repr()
    shorter.maxother = shorter.maxstring = shorter.maxlong = _SHOWN
    return _cut(shorter.repr(value))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
