"""The command that repeats a run: given back to the command line, it plans the same cases."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, Plan, Selection, cases_of
from gilbench.commands.group import gilbench
from gilbench.explain.repeat import command
from gilbench.machine import usable_cpus
from gilbench.results.summary import Summary
from gilbench.schedulers import all_schedulers
from gilbench.targets.builtin import all_workloads, choose
from tests.scripted import plan


def planned(**options: tuple[str, ...] | tuple[int, ...]) -> Plan:
    selection = Selection(**options)  # type: ignore[arg-type]
    profile = PROFILES["default"]
    workloads = choose(all_workloads(), selection.workloads)
    cases = cases_of(workloads, all_schedulers(), profile, selection, usable_cpus())
    return Plan(profile, cases, seed=7, timeout=120.0)


def repeated(of: Plan) -> str:
    return command(Summary("r", {"usable_cpus": usable_cpus()}, (), (), plan=of))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"workloads": ("sort",)},
        {"workloads": ("csv_*",), "schedulers": ("threads",)},
        {"workloads": ("sum_of_squares", "sleep"), "schedulers": ("threads", "processes"), "sizes": ("tiny", "small")},
        {"schedulers": ("loky",), "workers": (usable_cpus(),)},
        {"workloads": ("sleep",), "schedulers": ("sync",)},
    ],
    ids=str,
)
def test_the_command_plans_the_same_cases(options: dict[str, tuple[str, ...]]) -> None:
    before = planned(**options)
    words = shlex.split(repeated(before))
    assert words[:2] == ["gilbench", "run"]
    done = CliRunner().invoke(gilbench, [*words[1:], "--dry-run"])
    assert done.exit_code == 0, done.stderr
    assert set(done.stdout.split()) == {case.name for case in before.cases}


def test_a_whole_profile_needs_no_names() -> None:
    assert repeated(planned()) == "gilbench run --profile default --seed 7"
    assert repeated(planned(workloads=("sort",))) == "gilbench run sort --profile default --seed 7"


def test_options_that_the_user_set_are_repeated() -> None:
    before = planned(workloads=("sort",))
    profile = replace(before.profile, max_time=30.0, precision=0.05, max_observations=2)
    text = repeated(replace(before, profile=profile, timeout=10.0))
    assert "--max-time 30 --precision 0.05 --max-observations 2 --timeout 10" in text


def test_paths_are_cut_so_that_nobodys_folders_are_shared() -> None:
    data = {"GILBENCH_DATA": "/home/somebody/logs/*.csv", "GILBENCH_PYTHON": "3.14t", "GILBENCH_CACHE": "/home/x"}
    data |= {"GILBENCH_WITH": "'numpy<3,>=2' pandas==3.0.3"}
    text = repeated(replace(planned(workloads=("sort",)), environment=data))
    assert "--data '*.csv' --python 3.14t --with 'numpy<3,>=2' --with pandas==3.0.3" in text
    assert "somebody" not in text and "/home" not in text


def test_workloads_that_are_not_here_are_named_and_hostile_ones_are_quoted() -> None:
    text = repeated(plan([Case("gone", "small", "threads", 1, 2), Case("; rm -rf ~", "tiny", "processes", 2)]))
    words = shlex.split(text)
    assert words[2:4] == ["gone", "; rm -rf ~"]
    assert {"threads", "processes", "small", "tiny"} <= set(words)


def test_without_a_plan_it_is_the_plain_command() -> None:
    assert command(Summary("r", {}, (), ())) == "gilbench run"


def test_the_reference_result_can_be_repeated() -> None:
    from gilbench.results.result_file import load
    from gilbench.results.summary import summarize

    path = Path(__file__).parents[2] / "results" / "reference" / "two-cores.json"
    text = command(summarize(load(path)))
    assert text.startswith("gilbench run ") and "--seed" in text


def test_files_of_the_users_own_are_cut_too() -> None:
    text = repeated(plan([Case("/home/somebody/mine.py:work", "default", "threads", 1, 2)]))
    assert "gilbench run mine.py:work" in text and "somebody" not in text
