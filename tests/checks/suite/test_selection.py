"""What is chosen of a project's benchmarks: names, patterns, -k; what is new, gone, or cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found
from gilbench.checks.suite.listing import Listed
from gilbench.checks.suite.selection import Asked, Kinds, check_names, found_in, matches, satisfies, selected
from gilbench.errors import Failure, UserError

A = Benchmark("pytest_tests", "tests/test_a.py", "tests/test_a.py::TestIt::test_one[3]", "test_one")
B = Benchmark("asv_suite", "benchmarks/b.py", "b.Suite.time_two(1, 'x.y')", "Suite.time_two")
C = Benchmark("pytest_tests", "tests/test_c.py", "tests/test_c.py::test_three", "test_three")


def own(*benchmarks: Benchmark) -> Kinds:
    kinds = {one.kind for one in benchmarks}
    return {kind: [Found(one.file, (one.function,)) for one in benchmarks if one.kind == kind] for kind in kinds}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tests", [A, C]),
        ("tests/", [A, C]),
        (".", [A, B, C]),
        ("tests/test_a.py", [A]),
        ("tests/test_a.py::TestIt", [A]),
        ("tests/test_a.py::TestIt::test_one", [A]),
        ("tests/test_a.py::TestIt::test_one[3]", [A]),
        ("test_one", [A]),
        ("test_*", [A, C]),
        ("b.Suite.time_two", [B]),
        ("b.Suite", [B]),
        ("time_*", [B]),
        ("*two*", [B]),
        ("tes", []),
    ],
)
def test_a_name_is_a_benchmark_a_function_a_file_a_folder_or_a_pattern(name: str, found: list[Benchmark]) -> None:
    assert [one for one in (A, B, C) if matches(one, name)] == found


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("one", True),
        ("ONE", True),
        ("two", False),
        ("not two", True),
        ("one and not test_a", False),
        ("two or one", True),
        ("not (two or one)", False),
        ("two and one or test", True),
    ],
)
def test_an_expression_reads_as_in_pytest(expression: str, holds: bool) -> None:
    assert satisfies(A.name, expression) == holds


@pytest.mark.parametrize("expression", ["and", "one and", "(one", "one)", "one two", "not"])
def test_what_is_no_expression_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(UserError, match=r"-k .* is no expression"):
        satisfies(A.name, expression)


def test_what_only_head_defines_is_new_and_what_only_base_defines_is_gone() -> None:
    lists = {"base": Listed([A]), "head": Listed([A, C])}
    found = selected(lists, {"base": own(A, B), "head": own(A, C)}, Asked())
    assert list(found.benchmarks) == [A]
    assert found.new == {C}
    assert list(found.notes) == [
        "new: tests/test_c.py::test_three: only head has it",
        "gone: benchmarks/b.py: Suite.time_two: only base has it",
    ]


def test_a_new_benchmark_that_base_lists_too_is_measured_there() -> None:
    lists = {"base": Listed([A, C]), "head": Listed([A, C])}
    found = selected(lists, {"base": own(A), "head": own(A, C)}, Asked())
    assert list(found.benchmarks) == [A, C]
    assert found.new == {C}, "if base cannot run it, that is no failure"


def test_a_file_that_cannot_be_read_fails_and_one_that_is_skipped_or_new_does_not() -> None:
    broken, skipped = Failure("raised", "SyntaxError"), Failure("skipped", "no numpy")
    head = Listed([A], {"tests/bad.py": broken, "tests/test_c.py": skipped})
    base = Listed([A], {"tests/new.py": broken})
    found = selected({"base": base, "head": head}, {"base": own(A), "head": own(A)}, Asked())
    assert found.failures == {"tests/bad.py": {"head": broken}}
    assert list(found.notes) == ["skipped: tests/test_c.py: no numpy", "new: tests/new.py: SyntaxError"]


@pytest.mark.parametrize(
    ("asked", "fails"),
    [
        (Asked(("test_one",)), False),
        (Asked(expression="one"), False),
        (Asked(("tests",)), True),
        (Asked(("tests/bad.py::test_x", "test_one")), True),
    ],
)
def test_a_broken_file_fails_a_check_that_may_mean_it_and_is_noted_otherwise(asked: Asked, fails: bool) -> None:
    lists = {"base": Listed([A]), "head": Listed([A], {"tests/bad.py": Failure("raised", "SyntaxError")})}
    found = selected(lists, {"base": own(A), "head": own(A)}, asked)
    assert bool(found.failures) == fails
    assert ("head: tests/bad.py: raised: SyntaxError" in found.notes) != fails


def test_two_benchmarks_of_one_name_are_refused() -> None:
    lists = {"base": Listed([A]), "head": Listed([A, replace(A, place=7)])}
    with pytest.raises(UserError, match="two benchmarks are named"):
        selected(lists, {"base": own(A), "head": own(A)}, Asked())


def test_a_name_that_means_nothing_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="no benchmark matches 'test_thre': did you mean test_three"):
        check_names(Asked(("test_thre",)), [A, B, C])
    check_names(Asked(("tests/bad.py",)), [A], ["tests/bad.py"])


def test_names_of_files_narrow_what_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("test_a.py", "test_b.py", "timing.py"):
        (tmp_path / "tests" / name).write_text("def test_x(benchmark): ...\n")
    assert [file.file for file in found_in(tmp_path, Asked())["pytest_tests"]] == ["tests/test_a.py", "tests/test_b.py"]
    for name in ("tests/test_b.py", "tests/test_b.py::test_x", "tests/timing.py"):
        (file,) = found_in(tmp_path, Asked((name,)))["pytest_tests"]
        assert file.file == name.partition("::")[0]
    assert list(found_in(tmp_path, Asked(("tests/timing.py:test_x",)))) == ["plain_functions"]
    assert list(found_in(tmp_path, Asked(commands=("true",)))) == ["command_lines"]
