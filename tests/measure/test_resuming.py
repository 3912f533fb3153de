"""Which run is resumed, and what must not have changed meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench import variables
from gilbench.errors import UserError
from gilbench.measure import resuming
from gilbench.results.journal import Journal
from gilbench.results.records import Result
from tests.measure.scripted_run import OTHER, installed, options, timed
from tests.scripted import MACHINE, plan


def test_what_differs_between_machines_is_named_but_not_what_changes_by_itself() -> None:
    other = {**MACHINE, "numpy_version": "1.0", "memory_bytes": 3}
    before = Result("a", plan(), MACHINE)
    with pytest.raises(UserError, match=r"a.jsonl was started with numpy_version 2.4.6 \(here 1.0\): resume it there"):
        resuming.resumed(before, Path("a.json"), options(), installed(machine=other))
    drifted = installed(machine={**MACHINE, "memory_bytes": 3})
    assert resuming.resumed(before, Path("a.json"), options(), drifted).machine == MACHINE


@pytest.mark.parametrize(
    ("begun", "now", "line"),
    [
        ("3.13t", None, "was started with --python 3.13t: add that one, by version or by path"),
        ("3.13t", "3.13", "was started with --python 3.13t, not 3.13: give that one, by version or by path"),
        (None, "3.13t", "was started without --python: leave it out"),
        ("3.13t", "3.13t", None),
        (None, None, None),
    ],
)
def test_a_run_is_resumed_with_the_interpreter_that_it_was_begun_with(
    tmp_path: Path, begun: str | None, now: str | None, line: str | None
) -> None:
    environment = {variables.PYTHON: begun} if begun else {}
    Journal(tmp_path / "a.jsonl", replace(plan(), environment=environment), MACHINE, new=True).close()
    interpreter = replace(OTHER, tag=now) if now else None
    if line is None:
        assert resuming.interrupted_run(options(results=tmp_path), interpreter).name == "a"
        return
    with pytest.raises(UserError, match=re.escape(f"{tmp_path / 'a.jsonl'} {line}") + "$"):
        resuming.interrupted_run(options(results=tmp_path), interpreter)


def test_a_run_is_resumed_with_the_packages_that_it_was_begun_with(tmp_path: Path) -> None:
    environment = {variables.PYTHON: "3.13t", variables.WITH: "'pandas<4,>=3' numpy==2.4.6"}
    Journal(tmp_path / "a.jsonl", replace(plan(), environment=environment), MACHINE, new=True).close()
    packages = ("pandas<4,>=3", "numpy==2.4.6")
    assert resuming.interrupted_run(options(results=tmp_path, packages=packages), OTHER).name == "a"
    with pytest.raises(UserError, match=r"was started with --with 'pandas<4,>=3' --with numpy==2.4.6: give the same$"):
        resuming.interrupted_run(options(results=tmp_path), OTHER)


def test_a_run_is_not_resumed_when_its_software_or_the_gil_has_changed() -> None:
    before = Result("a", plan(), MACHINE)
    assert resuming.resumed(before, Path("a.json"), options(max_time=9.0), installed()).plan.profile.max_time == 9.0
    assert resuming.resumed(before, Path("a.json"), options(), installed()).plan.timeout == before.plan.timeout
    assert resuming.resumed(before, Path("a.json"), options(timeout=7.0), installed()).plan.timeout == 7.0
    for key, value in (("python_version", "3.13.6"), ("gil", "disabled"), ("pyarrow_version", "99")):
        changed = installed(machine={**MACHINE, key: value})
        with pytest.raises(UserError, match=rf"a.jsonl was started with {key} .* \(here {value}\): resume it there"):
            resuming.resumed(before, Path("a.json"), options(), changed)


@pytest.mark.parametrize(
    ("changes", "tag", "wanted"),
    [
        ({}, "", ""),
        ({"python": "/my python"}, "3.13t", " --python '/my python'"),
        ({"results": Path("else where"), "probe": True}, "", " -o 'else where' --probe"),
        ({"python": "3.13t", "packages": ("pandas<4,>=3",)}, "3.13t", " --with 'pandas<4,>=3' --python 3.13t"),
    ],
)
def test_what_to_type_to_resume_has_all_that_it_needs(changes: dict[str, Any], tag: str, wanted: str) -> None:
    assert resuming.resume_options(options(**changes), installed(tag)) == wanted


def test_only_for_its_probes_is_a_finished_run_resumed(tmp_path: Path) -> None:
    timed(tmp_path)
    with pytest.raises(UserError, match="no unfinished run 'r'"):
        resuming.interrupted_run(options(results=tmp_path, name="r"), None)
    with pytest.raises(UserError, match=r"r.json was started without --python: leave it out"):
        resuming.interrupted_run(options(results=tmp_path, name="r", probe=True), OTHER)
