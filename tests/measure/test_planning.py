"""What a run is asked for, and the plan that follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilbench.errors import UserError
from gilbench.measure import planning
from gilbench.measure import software as software
from gilbench.variables import DATA
from tests.measure.scripted_run import installed, options


def test_what_cannot_be_measured_with_an_interpreter_is_left_out_by_name() -> None:
    absent = "the package loky is not installed"
    poor = installed(schedulers={"loky": absent}, lacking={"csv_max_price": "pyarrow", "csv_text": "pyarrow"})
    planned = planning.plan(options(), poor)
    assert not {"csv_max_price", "csv_text"} & {case.workload for case in planned.cases}
    assert "loky" not in {case.scheduler for case in planned.cases}
    assert "sum_of_squares" in {case.workload for case in planned.cases}
    assert planned.left_out == (f"loky: {absent}", "csv_max_price: pyarrow cannot be imported"), (
        "csv_text was not asked for"
    )
    named = planning.plan(options(workloads=("csv_max_price", "csv_text", "sleep"), schedulers=("threads",)), poor)
    assert {case.workload for case in named.cases} == {"sleep"}
    assert named.left_out == ("csv_max_price, csv_text: pyarrow cannot be imported",)
    with pytest.raises(UserError, match=r"^nothing to measure: csv_text: pyarrow cannot be imported$"):
        planning.plan(options(workloads=("csv_text",), schedulers=("sync",)), poor)


def test_a_plan_keeps_which_interpreter_was_asked_for_and_no_path_of_it() -> None:
    assert planning.plan(options(), installed()).environment == {"GILBENCH_PYTHON": "3.13t"}
    assert planning.plan(options(), installed(tag="")).environment == {}
    assert "/" not in str(planning.plan(options(), installed()).as_json())


def test_the_probes_get_a_third_of_the_users_time_and_none_of_the_profiles() -> None:
    alone, shared = ({"max_time": 90.0, "probe": probe} for probe in (False, True))
    assert planning.plan(options(**alone), software.here()).profile.max_time == 90.0
    assert planning.plan(options(**shared), software.here()).profile.max_time == pytest.approx(60.0)
    profile = planning.plan(options(probe=True), software.here()).profile
    assert profile.max_time == planning.plan(options(), software.here()).profile.max_time


def test_a_pattern_of_data_reaches_into_folders_as_dasks_does(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.csv").write_text("x\n1\n")
    pattern = str(tmp_path / "**" / "*.csv")
    assert planning.data_environment(pattern) == {DATA: pattern}
