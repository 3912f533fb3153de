"""Verdicts as data: the folder as registry, exit codes, order, cells, and files that hold none."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench import report
from gilbench.errors import UserError
from gilbench.report import Page, formats
from gilbench.report.columns import VERDICT_COLUMNS, verdict_row
from gilbench.results.format_version import VERDICTS_FORMAT
from gilbench.results.result_file import save
from gilbench.results.verdicts import (
    ERROR,
    INCONCLUSIVE,
    KINDS,
    NOTHING,
    OK,
    REGRESSION,
    Kind,
    Line,
    Verdicts,
    exit_code,
    is_verdicts,
    load,
    ordered,
)
from tests.results.test_result_file import a_result
from tests.scripted import HOSTILE, verdicts


def of_kinds(*kinds: Kind, n: int = 5) -> Verdicts:
    return Verdicts("a", "b", tuple(Line(f"w{i}", kind, n=n) for i, kind in enumerate(kinds)))


def test_the_folder_is_the_registry() -> None:
    files = {path.stem.removesuffix("_format") for path in Path(report.__file__).parent.glob("[!_]*.py")}
    assert (
        set(formats("verdicts"))
        == {
            *("text", "markdown", "json", "junit"),
            *("bencher", "action_benchmark"),
        }
        <= files
    )


def test_the_headline_counts_the_worst_first() -> None:
    assert verdicts().headline == "2 regression, 2 failed, 2 inconclusive, 2 improvement, 1 same"
    assert of_kinds("same", "regression", "same").headline == "1 regression, 2 same"
    assert Verdicts("a", "b", ()).headline == "nothing was measured"


@pytest.mark.parametrize(
    ("kinds", "code", "strict"),
    [
        (KINDS, REGRESSION, REGRESSION),
        (("regression",), REGRESSION, REGRESSION),
        (("regression", "failed"), REGRESSION, REGRESSION),
        (("regression", "inconclusive"), REGRESSION, REGRESSION),
        (("regression", "improvement", "same"), REGRESSION, REGRESSION),
        (("failed",), ERROR, ERROR),
        (("failed", "inconclusive", "improvement", "same"), ERROR, ERROR),
        (("inconclusive",), OK, INCONCLUSIVE),
        (("inconclusive", "improvement", "same"), OK, INCONCLUSIVE),
        (("improvement",), OK, OK),
        (("improvement", "same"), OK, OK),
        (("same",), OK, OK),
    ],
)
def test_the_exit_code_is_that_of_the_worst_case(kinds: tuple[Kind, ...], code: int, strict: int) -> None:
    for seed in range(5):
        shuffled = of_kinds(*random.Random(seed).sample(kinds, len(kinds)))
        assert (exit_code(shuffled, strict=False), exit_code(shuffled, strict=True)) == (code, strict)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), NOTHING),
        (("inconclusive",), NOTHING),
        (("inconclusive", "failed"), ERROR),
        (("inconclusive", "regression"), REGRESSION),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_the_exit_code_where_no_epoch_was_measured(kinds: tuple[Kind, ...], code: int, strict: bool) -> None:
    assert exit_code(of_kinds(*kinds, n=0), strict=strict) == code


def test_a_case_that_time_did_not_reach_is_inconclusive() -> None:
    half = Verdicts("a", "b", (Line("w0", "same", n=5), Line("w1", "inconclusive")))
    assert (exit_code(half, strict=False), exit_code(half, strict=True)) == (OK, INCONCLUSIVE)


def test_exit_codes_are_those_that_the_help_names() -> None:
    assert (OK, REGRESSION, ERROR, NOTHING, INCONCLUSIVE) == (0, 1, 2, 3, 4)


def test_the_worst_case_comes_first() -> None:
    names = [line.case.removeprefix("w-") for line in ordered(verdicts().lines)]
    assert names == ["slowest", "slower", "broken", "killed", "once", "noisy", "faster", "fastest", "same"]


def test_every_case_has_a_cell_for_every_column() -> None:
    for line in verdicts().lines:
        assert len(verdict_row(line, "time")) == len(VERDICT_COLUMNS)
    regression = verdict_row(verdicts().lines[1], "time")
    assert regression == (
        "w-slower", "regression", "1.204", "1.153 to 1.257", "5.0%", "4.00 ms", "4.82 ms", "9", "30 s",
    )  # fmt: skip
    assert verdict_row(verdicts().lines[6], "time")[2:5] == ("1.300", "unknown", "")
    assert verdict_row(verdicts().lines[7], "time")[2:] == ("", "base: raised: ValueError: w", "", "", "", "0", "3 s")


def test_speed_ups_are_shown_as_such() -> None:
    line = Line("w", "same", 1.0, 0.99, 1.01, 0.05, 0.03, base=2.0, head=1.99, n=5)
    assert verdict_row(line, "speed-up")[5:7] == ("2.00x", "1.99x")


@pytest.mark.parametrize("format", ["text", "markdown", "junit", "json"])
def test_a_case_that_broke_after_some_epochs_says_how(format: str) -> None:
    line = Line("w", "regression", 1.0, 0.99, 1.01, n=9, reason="head: killed: SIGSEGV")
    assert "SIGSEGV" in formats("verdicts")[format](Verdicts("a", "b", (line,)), Page(200))


# --- Files


def written(tmp_path: Path, of: Verdicts) -> Path:
    path = tmp_path / "v.json"
    path.write_text(formats("verdicts")["json"](of, Page()))
    return path


def same(first: Verdicts, second: Verdicts) -> bool:
    """Equal, NaN to NaN: repr holds every digit of a float."""
    return repr(first) == repr(second)


@pytest.mark.parametrize("of", ["time", "speed-up"])
@pytest.mark.parametrize("text", ["w", HOSTILE], ids=["plain", "hostile"])
def test_what_is_written_is_what_is_loaded(tmp_path: Path, text: str, of: str) -> None:
    before = verdicts(text, of)
    after = load(written(tmp_path, before))
    assert same(after, before)
    assert not same(after, replace(before, notes=()))
    assert math.isnan(after.lines[7].ratio) and after.lines[7].high == math.inf


def test_no_case_at_all_is_loaded_too(tmp_path: Path) -> None:
    assert same(load(written(tmp_path, Verdicts("a", "b", ()))), Verdicts("a", "b", ()))


def test_a_file_of_verdicts_is_recognized(tmp_path: Path) -> None:
    assert is_verdicts(written(tmp_path, verdicts(HOSTILE)))
    save(a_result(), tmp_path / "r.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x80" * 100)
    (tmp_path / "empty").write_bytes(b"")
    for other in (tmp_path / "r.json", tmp_path / "binary", tmp_path / "empty", tmp_path / "none", tmp_path):
        assert not is_verdicts(other)


def refused(path: Path) -> str:
    """The one line that a file which holds no verdicts is refused with."""
    with pytest.raises(UserError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    assert "cannot read" in refused(tmp_path / "none.json")
    assert "cannot read" in refused(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no json", b"[]", b"null", b"3", b"{}", b'{"gilbench_verdicts": 1}', b'{"gilbench": {}}',
        b"\xff\xfe\x00\x80", b"\x00", b'{"gilbench_verdicts": 1', b"NaN",
    ],
)  # fmt: skip
def test_garbage_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert "holds no verdicts of gilbench" in refused(tmp_path / "x.json")


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = written(tmp_path, verdicts())
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return path


def test_verdicts_of_a_newer_format_say_to_upgrade(tmp_path: Path) -> None:
    newer = VERDICTS_FORMAT + 1
    assert refused(changed(tmp_path, lambda data: data.update(gilbench_verdicts=newer))).endswith(
        f"has format {newer}, but this gilbench reads formats up to {VERDICTS_FORMAT}: upgrade gilbench"
    )


KEYS = ["gilbench_verdicts", "base", "head", "cases", "about", "notes", "of"]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_needed(tmp_path: Path, key: str) -> None:
    assert "holds no verdicts" in refused(changed(tmp_path, lambda data: data.pop(key)))


@pytest.mark.parametrize("key", list(Line.__dataclass_fields__))
def test_every_key_of_a_case_is_needed(tmp_path: Path, key: str) -> None:
    assert "holds no verdicts" in refused(changed(tmp_path, lambda data: data["cases"][0].pop(key)))


WRONG: Mapping[str, Sequence[object]] = {
    "gilbench_verdicts": (0, -1, 1.5, "1", None),
    **dict.fromkeys(("base", "head"), (None, 3, ["a"])),
    **dict.fromkeys(("about", "notes"), (None, 3, [3], [None])),
    "cases": (None, 3, [3], [None], ["same"], {"w": {}}),
}
WRONG_IN_A_CASE: Mapping[str, Sequence[object]] = {
    "case": (None, 3, ["w"]),
    "kind": (None, 3, "", "Same", "equal", ["same"], {}),
    "reason": (None, 3),
    **dict.fromkeys(("ratio", "low", "high", "detectable", "base", "head"), ("fast", [], {})),
    **dict.fromkeys(("threshold", "n", "seconds"), (None, "many", [], {})),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_value_of_a_wrong_type_is_refused(tmp_path: Path, key: str, value: object) -> None:
    assert "holds no verdicts" in refused(changed(tmp_path, lambda data: data.update({key: value})))


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRONG_IN_A_CASE.items() for value in values]
)
def test_a_value_of_a_wrong_type_in_a_case_is_refused(tmp_path: Path, key: str, value: object) -> None:
    assert "holds no verdicts" in refused(changed(tmp_path, lambda data: data["cases"][0].update({key: value})))


@pytest.mark.parametrize(
    "content",
    [
        '{"gilbench_verdicts": 1, "base": "", "head": "", "about": [], "notes": [], "of": "time", "cases": [{"case": "w",'
        '"kind": "same", "ratio": 1, "low": 1, "high": 1, "detectable": 1, "threshold": 1, "base": 1, "head": 1,'
        f'"n": {n}, "seconds": {seconds}, "reason": ""}}]}}'
        for n, seconds in (("1e999", "1"), ("1", "1" + "0" * 400))
    ]
    + ["[" * 100_000],
)
def test_numbers_and_depths_beyond_all_bounds_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert "holds no verdicts" in refused(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[(key, value) for key in ("ratio", "high", "base", "head") for value in (0, -1.0)],
        *[(key, -1.0) for key in ("low", "threshold", "n", "seconds")],
        ("threshold", 0),
        ("threshold", math.nan),
    ],
)
def test_numbers_that_make_no_sense_are_refused(tmp_path: Path, key: str, value: float) -> None:
    """Such a ratio has no logarithm: the chart would end in a traceback."""
    assert "holds no verdicts" in refused(changed(tmp_path, lambda data: data["cases"][0].update({key: value})))
