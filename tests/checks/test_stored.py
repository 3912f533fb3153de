"""Two stored results against each other: verdicts, refusals in one line, and simulated false alarms."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.checks.stored import compare
from gilbench.commands.group import gilbench
from gilbench.errors import UserError
from gilbench.machine import ONLY_STATED, fingerprint
from gilbench.results.records import Result as Measured
from gilbench.results.result_file import save
from gilbench.results.summary import Summary, summarize
from gilbench.results.verdicts import Line
from tests.scripted import HOSTILE, MACHINE, observation, plan

SYNC, THREADS = Case("w", "default", "sync"), Case("w", "default", "threads", 1, 2)
SIX = [Case(f"w{i}", "default", scheduler) for i in range(3) for scheduler in ("sync", "threads")]
STEADY = (0.100, 0.1005, 0.0995, 0.1, 0.1002)


def measured(
    name: str, values: Mapping[Case, Sequence[float]], machine: Mapping[str, str | int | float] = MACHINE
) -> Measured:
    observations = [
        observation(Order(case, round_, 1, "function", 0.1), value)
        for case, found in values.items()
        for round_, value in enumerate(found)
    ]
    return Measured(name, plan(list(values)), machine, tuple(observations))


def summary(name: str, values: Mapping[Case, Sequence[float]], **machine: str | int | float) -> Summary:
    return summarize(measured(name, values, {**MACHINE, **machine}))


def times(values: Sequence[float], factor: float) -> list[float]:
    return [value * factor for value in values]


def only(lines: Sequence[Line]) -> Line:
    (line,) = lines
    return line


# --- Verdicts


def test_equal_results_with_little_spread_are_the_same() -> None:
    values = dict.fromkeys(SIX, STEADY)
    found = compare(summary("a", values), summary("b", values))
    assert {line.kind for line in found.lines} == {"same"}
    assert [line.case for line in found.lines] == [case.name for case in SIX]
    for line in found.lines:
        assert (line.ratio, line.n) == (1.0, 5)
        assert 1 / 1.03 < line.low < 1 < line.high < 1.03
        assert line.base == line.head == pytest.approx(0.1)
        assert 0.03 < line.detectable < 0.1


@pytest.mark.parametrize(("factor", "kind"), [(1.2, "regression"), (1 / 1.2, "improvement"), (1.01, "same")])
def test_a_clear_change_is_called_in_its_case_alone(factor: float, kind: str) -> None:
    values = dict.fromkeys(SIX, STEADY)
    found = compare(summary("a", values), summary("b", {**values, SIX[2]: times(STEADY, factor)}))
    changed = found.lines[2]
    assert (changed.kind, changed.case) == (kind, SIX[2].name)
    assert changed.ratio == pytest.approx(factor)
    assert changed.low < factor < changed.high
    assert changed.head / changed.base == pytest.approx(factor)
    assert {line.kind for line in found.lines if line is not changed} == {"same"}


def test_noise_that_hides_everything_is_inconclusive() -> None:
    noisy = (0.1, 0.13, 0.08, 0.16, 0.07)
    line = only(compare(summary("a", {SYNC: noisy}), summary("b", {SYNC: times(noisy[::-1], 1.2)})).lines)
    assert line.kind == "inconclusive"
    assert line.low < 1 < line.high
    assert line.detectable > 0.5


def test_the_threshold_says_what_matters() -> None:
    base, head = summary("a", {SYNC: STEADY}), summary("b", {SYNC: times(STEADY, 1.1)})
    kinds = {threshold: only(compare(base, head, threshold=threshold).lines).kind for threshold in (0.03, 0.2)}
    assert kinds == {0.03: "regression", 0.2: "same"}


def test_one_observation_per_case_is_inconclusive() -> None:
    line = only(compare(summary("a", {SYNC: [0.1]}), summary("b", {SYNC: [0.2]})).lines)
    assert (line.kind, line.n) == ("inconclusive", 1)
    assert line.ratio == pytest.approx(2.0)
    assert (line.low, line.high, line.detectable) == (0.0, math.inf, math.inf)


def test_n_is_of_the_side_that_has_fewer() -> None:
    found = compare(summary("a", {SYNC: STEADY}), summary("b", {SYNC: STEADY[:2]}))
    assert only(found.lines).n == 2


def test_equal_results_raise_no_false_alarm() -> None:
    """At most 1 % of comparisons may; 2 % of 300 leaves room for chance (it would be 7 or more in 3 % of such tests)."""
    alarms = dict.fromkeys(("regression", "improvement"), 0)
    for seed in range(300):
        draw = random.Random(seed)
        base, head = (
            summary(name, {case: [0.1 * draw.lognormvariate(0.0, 0.05) for _ in range(5)] for case in SIX})
            for name in ("a", "b")
        )
        kinds = {line.kind for line in compare(base, head).lines}
        for kind in alarms:
            alarms[kind] += kind in kinds
    assert all(count <= 6 for count in alarms.values()), alarms


def test_a_slowdown_of_a_half_is_found_in_most_tries_at_the_same_noise() -> None:
    found = 0
    for seed in range(40):
        draw = random.Random(seed)
        base, head = (
            {case: [0.1 * draw.lognormvariate(0.0, 0.05) for _ in range(5)] for case in SIX} for _ in range(2)
        )
        lines = compare(summary("a", base), summary("b", {**head, SIX[0]: times(head[SIX[0]], 1.5)})).lines
        found += lines[0].kind == "regression"
    assert found >= 36


# --- What is compared


def test_cases_of_one_result_alone_are_named_and_not_compared() -> None:
    gone, new = Case("gone", "default", "sync"), Case("new", "default", "sync")
    found = compare(summary("a", {SYNC: STEADY, gone: STEADY}), summary("b", {SYNC: STEADY, new: STEADY}))
    assert [line.case for line in found.lines] == [SYNC.name]
    assert {"only in base: gone:default:sync:1x1", "only in head: new:default:sync:1x1"} <= set(found.notes)


def test_memory_is_not_compared_as_if_it_were_time() -> None:
    memory = replace(SYNC, measure="memory")
    values = {SYNC: STEADY, memory: times(STEADY, 1e9)}
    found = compare(summary("a", values), summary("b", {**values, memory: times(STEADY, 2e9)}))
    assert [line.case for line in found.lines] == [SYNC.name]


def test_no_case_in_common_is_one_line() -> None:
    base, head = summary("a", {SYNC: STEADY}), summary("b", {THREADS: STEADY})
    with pytest.raises(UserError, match=r"^a and b have no case in common$"):
        compare(base, head)
    with pytest.raises(UserError, match=r"^a and b have no case in common besides sync$"):
        compare(summary("a", {SYNC: STEADY}), summary("b", {SYNC: STEADY}), of="speed-up")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("cpu_model_name", "Other CPU", "cpu_model_name Test CPU -> Other CPU"),
        ("usable_cpus", 4, "usable_cpus 2 -> 4"),
        ("python_version", "3.14.0", "python_version 3.11.7 -> 3.14.0"),
        ("gil", "disabled", "gil enabled -> disabled"),
        ("pandas_version", "3.0.3", "pandas_version 3.1.1 -> 3.0.3"),
        ("new_key", "x", "new_key unknown -> x"),
    ],
)
def test_other_machines_and_versions_are_refused_in_one_line_that_names_the_key(
    key: str, value: str | int, said: str
) -> None:
    base, head = summary("a", {SYNC: STEADY}), summary("b", {SYNC: STEADY}, **{key: value})
    with pytest.raises(UserError) as caught:
        compare(base, head)
    assert str(caught.value) == f"a and b cannot be compared by time: {said}; --ratios compares their speed-ups"


@pytest.mark.parametrize("key", ONLY_STATED)
def test_what_drifts_by_itself_is_not_refused(key: str) -> None:
    base, head = (summary(name, {SYNC: STEADY}, **{key: name}) for name in ("a", "b"))
    assert only(compare(base, head).lines).kind == "same"


def test_what_may_drift_is_part_of_the_fingerprint() -> None:
    assert set(ONLY_STATED) <= set(fingerprint())


# --- Speed-ups


def test_speed_ups_of_two_machines_can_be_compared_and_a_lost_one_is_a_regression() -> None:
    fast, slow = {SYNC: times(STEADY, 2.0), THREADS: STEADY}, {SYNC: times(STEADY, 6.0), THREADS: times(STEADY, 6.0)}
    found = compare(summary("a", fast), summary("b", slow, cpu_model_name="Other CPU", usable_cpus=4), of="speed-up")
    line = only(found.lines)
    assert (line.case, line.kind) == (THREADS.name, "regression")
    assert line.ratio == pytest.approx(2.0)
    assert (line.base, line.head) == pytest.approx((2.0, 1.0))
    assert found.of == "speed-up"
    assert "differs: cpu_model_name Test CPU -> Other CPU, usable_cpus 2 -> 4" in found.about


def test_a_machine_that_is_slower_throughout_has_lost_no_speed_up() -> None:
    values = {SYNC: times(STEADY, 2.0), THREADS: STEADY}
    slower = {case: times(found, 3.0) for case, found in values.items()}
    assert only(compare(summary("a", values), summary("b", slower), of="speed-up").lines).kind == "same"
    assert {line.kind for line in compare(summary("a", values), summary("b", slower)).lines} == {"regression"}


def test_a_speed_up_is_taken_round_by_round() -> None:
    wander = (1.0, 3.0, 1.5, 2.0, 1.2)
    values = {
        SYNC: [0.2 * factor * steady / 0.1 for factor, steady in zip(wander, STEADY, strict=True)],
        THREADS: times(wander, 0.1),
    }
    assert only(compare(summary("a", values), summary("b", values), of="speed-up").lines).kind == "same"


# --- The command


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(gilbench, ["compare", *(str(argument) for argument in arguments)])


@pytest.fixture
def files(tmp_path: Path) -> Mapping[str, Path]:
    """Saved results by name: equal ones, a slower one, one of another machine, one of a single process."""
    values = {SYNC: times(STEADY, 2.0), THREADS: STEADY}
    other = {**MACHINE, "usable_cpus": 64}
    results = {
        "base": measured("base", values),
        "equal": measured("equal", values),
        "slower": measured("slower", {**values, THREADS: times(STEADY, 1.3)}),
        "noisy": measured("noisy", {**values, THREADS: [0.05, 0.1, 0.2, 0.07, 0.15]}),
        "elsewhere": measured("elsewhere", values, other),
        "once": measured("once", {case: found[:1] for case, found in values.items()}),
        "alone": measured("alone", {Case("alone", "default", "sync"): STEADY}),
    }
    for name, result in results.items():
        save(result, tmp_path / f"{name}.json")
    return {name: tmp_path / f"{name}.json" for name in results}


@pytest.mark.parametrize(
    ("head", "options", "code"),
    [
        ("equal", [], 0),
        ("slower", [], 1),
        ("slower", ["--threshold", "50%"], 0),
        ("slower", ["--ratios"], 1),
        ("noisy", [], 0),
        ("noisy", ["--strict"], 4),
        ("once", ["--strict"], 4),
        ("elsewhere", [], 2),
        ("elsewhere", ["--ratios"], 0),
        ("alone", [], 2),
    ],
)
def test_exit_codes(files: Mapping[str, Path], head: str, options: list[str], code: int) -> None:
    result = call(files["base"], files[head], *options)
    assert result.exit_code == code, result.output
    if code == 2:
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1


def test_a_slowdown_is_shown_with_its_figures(files: Mapping[str, Path]) -> None:
    lines = call(files["base"], files["slower"]).stdout.splitlines()
    assert lines[1].split()[:3] == ["w:default:threads:1x2", "regression", "1.300"]
    assert lines[-1] == "1 regression, 1 same"


def test_a_refusal_names_the_key_and_the_way_out(files: Mapping[str, Path]) -> None:
    said = call(files["base"], files["elsewhere"]).stderr
    assert "usable_cpus 2 -> 64" in said and "--ratios" in said
    assert "no case in common" in call(files["base"], files["alone"]).stderr


def test_speed_ups_of_two_machines_say_what_differs(files: Mapping[str, Path]) -> None:
    assert "differs: usable_cpus 2 -> 64" in call(files["base"], files["elsewhere"], "--ratios").output


def test_what_is_unknown_is_null_in_json(files: Mapping[str, Path]) -> None:
    output = call(files["base"], files["once"], "--format", "json").stdout
    for case in json.loads(output, parse_constant=pytest.fail)["cases"]:
        assert (case["kind"], case["low"], case["high"], case["detectable"]) == ("inconclusive", 0.0, None, None)


@pytest.mark.parametrize("format", ["text", "markdown", "junit"])
def test_every_format_shows_every_case(files: Mapping[str, Path], format: str) -> None:
    output = call(files["base"], files["slower"], "--format", format).stdout
    assert "w:default:sync:1x1" in output and "w:default:threads:1x2" in output
    assert "regression" in output


def test_mistakes_are_one_line(files: Mapping[str, Path], tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for arguments, said in (
        ([files["base"], tmp_path / "none.json"], "cannot read"),
        ([files["base"], tmp_path / "broken.json"], "is not a result file of gilbench"),
        ([files["base"], files["equal"], "--format", "xml"], "no format is named 'xml'"),
        ([files["base"], files["equal"], "--threshold", "0%"], "must be above 0"),
    ):
        result = call(*arguments)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert said in result.stderr


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    named = Case("name", "default", "sync")
    for name in ("a", "b"):
        path = tmp_path / f"{name}.json"
        save(measured(name, {named: STEADY}, {**MACHINE, "cpu_model_name": "name"}), path)
        path.write_text(
            path.read_text().replace('"name"', json.dumps(HOSTILE)).replace(f"{json.dumps(HOSTILE)}:", '"name":')
        )
    shown = call(tmp_path / "a.json", tmp_path / "b.json").output
    assert "<script>" in shown
    assert not {"\x00", "\x07", "\x1b", "\u202e"} & set(shown)
