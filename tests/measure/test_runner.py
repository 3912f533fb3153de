"""What a person reads before, during and after a run; with scripted timings."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.errors import Failure, UserError
from gilbench.measure import prober as probing
from gilbench.measure import runner as session
from gilbench.measure import software as software_module
from gilbench.measure.rounds import Interrupted, Ledger, measure_into, run_rounds
from gilbench.measure.run_progress import Lines, progress, so_far
from gilbench.measure.runner import RunOptions
from gilbench.measure.software import Software
from gilbench.process import interpreters
from gilbench.process.interpreters import Interpreter
from gilbench.results.journal import Journal
from gilbench.results.observations import Observation, Probing, Result
from gilbench.results.result_file import load
from tests.scripted import MACHINE, Script, noisy, plan


def test_plain_lines_have_round_cases_times_and_the_estimate_so_far() -> None:
    out = io.StringIO()
    run_rounds(Ledger(plan(cases=2)), Script(noisy(0.01)), [Lines(out)])
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("round 1  0/2 cases done  0 s gone, about ")
    assert "(n=1)" in lines[0]
    assert lines[-1].startswith("round 3") and "(n=3)" in lines[-1] and "±" in lines[-1]


def test_a_failure_is_told_when_it_happens() -> None:
    ledger = Ledger(plan(cases=1))
    run_rounds(ledger, Script(failures={"w0:default:sync:1x1": Failure("timeout", "no answer within 1 s")}))
    assert so_far(ledger.plan.cases[0], ledger) == "w0:default:sync:1x1: failed: timeout: no answer within 1 s"


def test_the_bar_ends_and_leaves_nothing_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with progress(out, bar=True) as shown:
        run_rounds(Ledger(plan(cases=2)), Script(), [shown])


def test_the_time_to_go_counts_what_each_open_case_still_needs() -> None:
    ledger = Ledger(plan(cases=3, max_time=1000.0))
    times = []

    class Watch:
        def starting(self, order: object, ledger: Ledger) -> None: ...

        def observed(self, observation: Observation, ledger: Ledger) -> None:
            times.append(ledger.time_left())

    run_rounds(ledger, Script(seconds=10.0), [Watch()])
    # Nine observations of 10 s; the last round's cases are still open until it ends, so each is good for one more.
    assert times[:3] == [80.0, 70.0, 60.0]
    assert ledger.time_left() == 0.0


def test_the_limit_bounds_the_time_to_go() -> None:
    ledger = Ledger(plan(cases=50, max_time=30.0))
    run_rounds(ledger, Script(seconds=10.0))
    assert ledger.time_left() == 0.0


def test_the_introduction_says_how_much_how_long_and_what_is_left_out() -> None:
    text = session.introduction(replace(plan(cases=2, max_time=90.0), left_out=("loky: not installed",)), done=4)
    assert text.splitlines() == [
        "2 cases, at most 1 min 30 s; each until its 95 % interval is within ±10% or it was measured 8 times "
        "(profile default, seed 1)",
        "going on behind 4 observations",
        "left out: loky: not installed",
    ]


def test_the_conclusion_names_what_stopped_what_failed_and_what_was_not_measured(tmp_path: Path) -> None:
    cases = [Case(f"w{i}", "default", "sync") for i in range(4)]
    script = Script(noisy(0.01), failures={"w1:default:sync:1x1": Failure("killed", "killed by SIGKILL")}, seconds=10.0)
    result = measure_into(Result("r", plan(cases, max_time=25.0), MACHINE), tmp_path / "r.json", script)
    text = session.conclusion(result, Path("results/r.json"))
    measured = {o.case.workload for o in result.observations}
    assert "3 observations of 4 cases in 30 s" in text
    assert "1 cases were not measured at all (max time)" in text
    assert ("failed: w1:default:sync:1x1: killed: killed by SIGKILL" in text) == ("w1" in measured)
    assert text.splitlines()[-1] == (
        "next: gilbench show results/r.json, gilbench claims results/r.json, gilbench plot results/r.json"
    )


def test_what_differs_between_machines_is_told_but_not_what_changes_by_itself() -> None:
    other = {**MACHINE, "numpy_version": "1.0", "memory_bytes": 3}
    assert session.differences(MACHINE, other) == "numpy_version 2.4.6 (here 1.0)"
    assert session.differences(MACHINE, dict(MACHINE)) == ""


OTHER = Interpreter("/some/python3.13t", "3.13.5", "3.13t")


def options(**changes: Any) -> RunOptions:
    """What the command line gives for `gilbench run`."""
    return replace(RunOptions(profile="quick", timeout=10.0, seed=1), **changes)


def software(tag: str = "3.13t", **changes: Any) -> Software:
    """Another interpreter, on the scripted machine."""
    return replace(Software("/some/python", {"PYTHONPATH": "/code"}, MACHINE, {}, {}, tag), **changes)


def test_a_new_result_is_named_after_another_interpreter() -> None:
    assert session.new_name(options(), None).endswith("-quick")
    assert session.new_name(options(), OTHER).endswith("-quick-py3.13t")
    assert session.new_name(options(name="mine"), OTHER) == "mine"
    with pytest.raises(UserError, match="must be a plain file name"):
        session.new_name(options(name="../mine"), None)


def test_what_cannot_be_measured_with_an_interpreter_is_left_out_by_name() -> None:
    absent = "the package loky is not installed"
    poor = software(schedulers={"loky": absent}, lacking={"csv_max_price": "pyarrow", "csv_text": "pyarrow"})
    planned = session.plan(options(), poor)
    assert not {"csv_max_price", "csv_text"} & {case.workload for case in planned.cases}
    assert "loky" not in {case.scheduler for case in planned.cases}
    assert "sum_of_squares" in {case.workload for case in planned.cases}
    assert planned.left_out == (f"loky: {absent}", "csv_max_price: pyarrow cannot be imported"), (
        "csv_text was not asked for"
    )
    named = session.plan(options(workloads=("csv_max_price", "csv_text", "sleep"), schedulers=("threads",)), poor)
    assert {case.workload for case in named.cases} == {"sleep"}
    assert named.left_out == ("csv_max_price, csv_text: pyarrow cannot be imported",)
    with pytest.raises(UserError, match=r"^nothing to measure: csv_text: pyarrow cannot be imported$"):
        session.plan(options(workloads=("csv_text",), schedulers=("sync",)), poor)


def test_a_plan_keeps_which_interpreter_was_asked_for_and_no_path_of_it() -> None:
    assert session.plan(options(), software()).environment == {"GILBENCH_PYTHON": "3.13t"}
    assert session.plan(options(), software(tag="")).environment == {}
    assert "/" not in str(session.plan(options(), software()).as_json())


def test_our_own_interpreter_measures_everything_and_needs_no_variables() -> None:
    ours = software_module.here()
    assert (ours.environment, ours.schedulers, ours.lacking, ours.tag) == ({}, {}, {}, "")
    assert ours.machine == software_module.fingerprint()


@pytest.mark.parametrize(
    ("begun", "now", "line"),
    [
        ("3.13t", None, "was begun with --python 3.13t: add that one, by version or by path"),
        ("3.13t", "3.13", "was begun with --python 3.13t, not 3.13: give that one, by version or by path"),
        (None, "3.13t", "was begun without --python: leave it out"),
        ("3.13t", "3.13t", None),
        (None, None, None),
    ],
)
def test_a_run_goes_on_with_the_interpreter_that_it_was_begun_with(
    tmp_path: Path, begun: str | None, now: str | None, line: str | None
) -> None:
    environment = {session.PYTHON: begun} if begun else {}
    Journal(tmp_path / "a.jsonl", replace(plan(), environment=environment), MACHINE, new=True).close()
    interpreter = replace(OTHER, tag=now) if now else None
    if line is None:
        assert session.begun(options(results=tmp_path), interpreter).name == "a"
        return
    with pytest.raises(UserError, match=re.escape(f"{tmp_path / 'a.jsonl'} {line}") + "$"):
        session.begun(options(results=tmp_path), interpreter)


def test_a_run_is_not_gone_on_with_when_its_software_or_the_gil_has_changed() -> None:
    before = Result("a", plan(), MACHINE)
    assert session.resumed(before, Path("a.json"), options(max_time=9.0), software()).plan.profile.max_time == 9.0
    for key, value in (("python_version", "3.13.6"), ("gil", "disabled")):
        changed = software(machine={**MACHINE, key: value})
        with pytest.raises(UserError, match=rf"a.jsonl was begun with {key} .* \(here {value}\): go on there"):
            session.resumed(before, Path("a.json"), options(), changed)


def test_an_unknown_interpreter_is_one_line_before_anything_is_made(tmp_path: Path) -> None:
    for name in ("9.99", ""):
        with pytest.raises(UserError, match=f"no interpreter '{name}'"):
            session.run(options(python=name, results=tmp_path / "results"), io.StringIO(), io.StringIO())
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_found_before_an_environment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    (tmp_path / "there.json").touch()
    for wrong, line in (
        ({"workloads": ("no_such",)}, "no workload or family matches"),
        ({"sizes": ("huge",)}, "no size is named"),
        ({"data": f"{tmp_path}/*.csv"}, "no file matches --data"),
        ({"name": "there"}, "is there already"),
        ({"resume": True}, "no unfinished run"),
    ):
        with pytest.raises(UserError, match=line):
            session.run(options(python="3.13t", results=tmp_path, **wrong), io.StringIO(), io.StringIO())


def test_ctrl_c_while_an_environment_is_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software_module, "measuring", interrupt)
    err = io.StringIO()
    assert session.run(options(python="3.13t", results=tmp_path), err, io.StringIO()) == 130
    assert err.getvalue() == "interrupted\n"


def test_a_dry_run_says_what_would_be_measured_with_another_interpreter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(
        software_module, "prepared", lambda *given: nullcontext(software(lacking={"csv_text": "pyarrow"}))
    )
    out = io.StringIO()
    asked = options(
        python="3.13t", dry_run=True, workloads=("csv_text", "sleep"), schedulers=("sync",), results=tmp_path
    )
    assert session.run(asked, io.StringIO(), out) == 0
    assert out.getvalue() == "sleep:small:sync:1x1\n"
    assert list(tmp_path.iterdir()) == []


def test_workers_run_on_the_other_interpreter_and_the_result_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    seen = []

    class Recording(Script):
        def __init__(self, timeout: float, environment: dict[str, str], python: str) -> None:
            super().__init__()
            seen.append((environment, python))

        def __enter__(self) -> Recording:
            return self

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software_module, "prepared", lambda *given: nullcontext(software()))
    monkeypatch.setattr(session, "Workers", Recording)
    asked = options(python="/some/python", workloads=("sleep",), schedulers=("sync",), results=tmp_path)
    assert session.run(asked, io.StringIO(), io.StringIO()) == 0
    assert seen == [({"GILBENCH_PYTHON": "3.13t", "PYTHONPATH": "/code"}, "/some/python")]
    (path,) = tmp_path.glob("*-quick-py3.13t.json")
    assert load(path).plan.environment == {"GILBENCH_PYTHON": "3.13t"}
    assert load(path).machine == dict(MACHINE)
    assert "/code" not in path.read_text() and "/some" not in path.read_text()


# --- Probes


def scripted_probes(monkeypatch: pytest.MonkeyPatch, script: Callable[[str], Probing] | None = None) -> list[str]:
    """Replace the probing of one workload by a script; return the list that says what was probed."""
    probed = list[str]()

    def probe(workload: str, size: str, schedulers: object, names: object, start: object) -> Probing:
        probed.append(workload)
        return script(workload) if script else Probing(workload, size, {"gil": {"sync": {"held": 0.5}}}, {})

    monkeypatch.setattr(probing, "probe", probe)
    return probed


def timed(tmp_path: Path, workloads: int = 2, failures: Mapping[str, Failure] | None = None) -> Result:
    script = Script(noisy(0.01), failures or {})
    return measure_into(Result("r", plan(workloads), MACHINE), tmp_path / "r.json", script)


def never(case: Case) -> Any:
    raise AssertionError("the script starts no process")


def test_what_was_timed_is_probed_and_kept_in_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed, said = scripted_probes(monkeypatch), list[str]()
    result = timed(tmp_path, 3, {"w1:default:sync:1x1": Failure("raised", "ValueError: no")})
    explained = session.explained(result, tmp_path / "r.json", never, said.append)
    assert probed == ["w0", "w2", probing.ANY], "w1 failed: there is no timing to explain"
    assert said == ["probing 1/3: w0", "probing 2/3: w2", "probing 3/3: the schedulers"]
    kept = load(tmp_path / "r.json")
    assert kept.probes == explained.probes and [one.workload for one in kept.probes] == ["w0", "w2", ""]
    assert len(kept.observations) == len(result.observations)


def test_where_nothing_was_timed_nothing_is_probed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed = scripted_probes(monkeypatch)
    result = timed(tmp_path, 1, {"w0:default:sync:1x1": Failure("raised", "ValueError: no")})
    assert session.explained(result, tmp_path / "r.json", never, print) == result
    assert probed == []


def test_ctrl_c_while_probing_keeps_timings_and_probes_and_the_rest_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(workload: str) -> Probing:
        if workload == "w1":
            raise KeyboardInterrupt
        return Probing(workload, "default", {}, {})

    scripted_probes(monkeypatch, interrupted)
    result, path = timed(tmp_path), tmp_path / "r.json"
    with pytest.raises(Interrupted, match=r"kept in .*r.json; go on with `gilbench run --resume --name r --probe`$"):
        session.explained(result, path, never, print, again=" --probe")
    kept = session.begun(options(results=tmp_path, name="r", probe=True), None)
    assert [one.workload for one in kept.probes] == ["w0"]
    assert kept.observations == load(path).observations and len(kept.observations) == len(result.observations)
    probed = scripted_probes(monkeypatch)
    assert [one.workload for one in session.explained(kept, path, never, print).probes] == ["w0", "w1", ""]
    assert probed == ["w1", probing.ANY], "what was found is not asked again"


@pytest.mark.parametrize(
    ("changes", "tag", "wanted"),
    [
        ({}, "", ""),
        ({"python": "/my python"}, "3.13t", " --python '/my python'"),
        ({"results": Path("else where"), "probe": True}, "", " -o 'else where' --probe"),
    ],
)
def test_what_to_type_to_go_on_has_all_that_resuming_needs(changes: dict[str, Any], tag: str, wanted: str) -> None:
    assert session.again_with(options(**changes), software(tag)) == wanted


def test_only_for_its_probes_is_a_finished_run_gone_on_with(tmp_path: Path) -> None:
    timed(tmp_path)
    with pytest.raises(UserError, match="no unfinished run 'r'"):
        session.begun(options(results=tmp_path, name="r"), None)
    with pytest.raises(UserError, match=r"r.json was begun without --python: leave it out"):
        session.begun(options(results=tmp_path, name="r", probe=True), OTHER)


def test_no_probe_begins_when_the_time_is_up_and_the_conclusion_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((1.0, 9.0, 99.0))
    monkeypatch.setattr(session.time, "monotonic", lambda: next(clock))
    probed = scripted_probes(monkeypatch)
    result = session.explained(timed(tmp_path, 4), tmp_path / "r.json", never, print, until=10.0)
    assert probed == ["w0", "w1"]
    text = session.conclusion(result, Path("r.json"), probed=True)
    assert "not probed (max time): w2, w3, the schedulers" in text.splitlines()
    assert "not probed" not in session.conclusion(result, Path("r.json"))


def test_the_probes_get_a_third_of_the_users_time_and_none_of_the_profiles() -> None:
    alone, shared = ({"max_time": 90.0, "probe": probe} for probe in (False, True))
    assert session.plan(options(**alone), software_module.here()).profile.max_time == 90.0
    assert session.plan(options(**shared), software_module.here()).profile.max_time == pytest.approx(60.0)
    profile = session.plan(options(probe=True), software_module.here()).profile
    assert profile.max_time == session.plan(options(), software_module.here()).profile.max_time


def test_the_introduction_says_that_probes_follow() -> None:
    lines = session.introduction(plan(cases=2), done=0, probed=True).splitlines()
    assert lines[1] == "then the probes, about 15 s for each of 2 workloads and for the schedulers"


def test_each_reason_why_something_was_not_probed_is_a_line() -> None:
    absent, short = "no /proc here", "the compute is too short"
    probes = (
        Probing("sleep", "tiny", {}, {"gil": {"sync": absent, "threads": absent}, "timeline": {"sync": short}}),
        Probing("sort", "tiny", {}, {"gil": {"sync": absent}, "memory": {"sync": absent}}),
        Probing("", "tiny", {}, {"granularity": {"threads": short}}),
    )
    assert list(session.unavailable(probes)) == [
        f"unavailable: gil of sleep, sort; memory of sort: {absent}",
        f"unavailable: timeline of sleep; granularity of the schedulers: {short}",
    ]


def test_a_run_with_probes_times_first_and_probes_with_the_same_software(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    order = list[object]()

    class Recording(Script):
        def __init__(self, *given: object) -> None:
            super().__init__()

        def __enter__(self) -> Recording:
            return self

        def __exit__(self, *error: object) -> None:
            order.append("timed")

    def live(case: Case, timeout: float, environment: dict[str, str], python: str) -> nullcontext[None]:
        order.append((case.scheduler, timeout, environment, python))
        return nullcontext()

    def probe(
        workload: str, size: str, schedulers: list[str], names: object, start: Callable[[Case], object]
    ) -> Probing:
        order.append(workload)
        start(Case(workload, size, schedulers[0]))
        return Probing(workload, size, {}, {"gil": {"sync": "no /proc here"}})

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software_module, "prepared", lambda *given: nullcontext(software()))
    monkeypatch.setattr(session, "Workers", Recording)
    monkeypatch.setattr(session, "LiveProbed", live)
    monkeypatch.setattr(probing, "probe", probe)
    asked = options(python="3.13t", workloads=("sleep",), schedulers=("sync",), results=tmp_path, name="r", probe=True)
    out, err = io.StringIO(), io.StringIO()
    assert session.run(asked, err, out) == 0
    process = ("sync", 10.0, {"GILBENCH_PYTHON": "3.13t", "PYTHONPATH": "/code"}, "/some/python")
    assert order == ["timed", "sleep", process, probing.ANY, process]
    assert "probing 1/2: sleep\nprobing 2/2: the schedulers\n" in err.getvalue()
    assert "unavailable: gil of sleep, the schedulers: no /proc here\n" in out.getvalue()
    assert [one.workload for one in load(tmp_path / "r.json").probes] == ["sleep", ""]
    again = io.StringIO()
    assert session.run(replace(asked, resume=True), again, io.StringIO()) == 0
    assert again.getvalue() == "", "nothing is timed or probed a second time"
    assert order.count("timed") == 1
