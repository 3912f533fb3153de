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
from gilbench.console import Lines, progress
from gilbench.errors import UserError
from gilbench.measure import narration, planning, prober, resuming, runner
from gilbench.measure import software as software_module
from gilbench.measure.narration import RunProgress, so_far
from gilbench.measure.planning import RunOptions
from gilbench.measure.rounds import Interrupted, Ledger, measure, measure_into
from gilbench.measure.software import Software
from gilbench.process import interpreters
from gilbench.process.interpreters import Interpreter
from gilbench.results.journal import Journal
from gilbench.results.observations import Observation, Probing, Result
from gilbench.results.result_file import load
from tests.scripted import MACHINE, Script, noisy, plan


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_have_round_cases_times_and_the_estimate_so_far() -> None:
    out = io.StringIO()
    measure(Ledger(plan(cases=2)), Script(noisy(0.01)), [RunProgress(Lines(out))])
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("round 1  0/2 cases done  0 s gone, about ")
    assert "(n=1)" in lines[0]
    assert lines[-1].startswith("round 3") and "(n=3)" in lines[-1] and "±" in lines[-1]


def test_a_failure_is_named_when_it_happens() -> None:
    ledger = Ledger(plan(cases=1))
    measure(ledger, Script(failures={"w0:default:sync:1x1": ("timeout", "no answer within 1 s")}))
    assert so_far(ledger.plan.cases[0], ledger) == "w0:default:sync:1x1: failed: timeout: no answer within 1 s"


def test_the_bar_ends_and_leaves_nothing_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    with progress(out) as shown:
        measure(Ledger(plan(cases=2)), Script(), [RunProgress(shown)])
    assert "round 3  0/2 cases done" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K"), "the line of the bar is wiped"


def test_the_time_to_go_counts_what_each_open_case_still_needs() -> None:
    ledger = Ledger(plan(cases=3, max_time=1000.0))
    times = []

    class Watch:
        def starting(self, order: object, ledger: Ledger) -> None: ...

        def observed(self, observation: Observation, ledger: Ledger) -> None:
            times.append(ledger.time_left())

    measure(ledger, Script(seconds=10.0), [Watch()])
    # Nine observations of 10 s; the last round's cases are still open until it ends, so each is good for one more.
    assert times[:3] == [80.0, 70.0, 60.0]
    assert ledger.time_left() == 0.0


def test_the_limit_bounds_the_time_to_go() -> None:
    ledger = Ledger(plan(cases=50, max_time=30.0))
    measure(ledger, Script(seconds=10.0))
    assert ledger.time_left() == 0.0


def test_the_introduction_says_how_much_how_long_and_what_is_left_out() -> None:
    text = narration.introduction(replace(plan(cases=2, max_time=90.0), left_out=("loky: not installed",)), done=4)
    assert text.splitlines() == [
        "2 cases, at most 1 min 30 s; each until its 95 % interval is within ±10% or it was measured 8 times "
        "(profile default, seed 1)",
        "continuing after 4 observations",
        "left out: loky: not installed",
    ]


def test_the_conclusion_names_what_stopped_what_failed_and_what_was_not_measured(tmp_path: Path) -> None:
    cases = [Case(f"w{i}", "default", "sync") for i in range(4)]
    script = Script(noisy(0.01), failures={"w1:default:sync:1x1": ("killed", "killed by SIGKILL")}, seconds=10.0)
    result = measure_into(Result("r", plan(cases, max_time=25.0), MACHINE), tmp_path / "r.json", script)
    text = narration.conclusion(result, Path("results/r.json"))
    measured = {o.case.workload for o in result.observations}
    assert "3 observations of 4 cases in 30 s" in text
    assert "1 cases were not measured at all (max time)" in text
    assert ("failed: w1:default:sync:1x1: killed: killed by SIGKILL" in text) == ("w1" in measured)
    assert text.splitlines()[-1] == (
        "next: gilbench show results/r.json, gilbench claims results/r.json, gilbench plot results/r.json"
    )


def test_what_differs_between_machines_is_named_but_not_what_changes_by_itself() -> None:
    other = {**MACHINE, "numpy_version": "1.0", "memory_bytes": 3}
    before = Result("a", plan(), MACHINE)
    with pytest.raises(UserError, match=r"a.jsonl was begun with numpy_version 2.4.6 \(here 1.0\): resume it there"):
        resuming.resumed(before, Path("a.json"), options(), software(machine=other))
    drifted = software(machine={**MACHINE, "memory_bytes": 3})
    assert resuming.resumed(before, Path("a.json"), options(), drifted).machine == MACHINE


OTHER = Interpreter("/some/python3.13t", "3.13.5", "3.13t")


def options(**changes: Any) -> RunOptions:
    """What the command line gives for `gilbench run`."""
    return replace(RunOptions(profile="quick", timeout=10.0, seed=1), **changes)


def software(tag: str = "3.13t", **changes: Any) -> Software:
    """Another interpreter, on the scripted machine."""
    return replace(Software("/some/python", {"PYTHONPATH": "/code"}, MACHINE, {}, {}, tag), **changes)


def test_a_new_result_is_named_after_another_interpreter() -> None:
    assert runner.new_name(options(), None).endswith("-quick")
    assert runner.new_name(options(), OTHER).endswith("-quick-py3.13t")
    assert runner.new_name(options(name="mine"), OTHER) == "mine"
    with pytest.raises(UserError, match="must be a plain file name"):
        runner.new_name(options(name="../mine"), None)


def test_what_cannot_be_measured_with_an_interpreter_is_left_out_by_name() -> None:
    absent = "the package loky is not installed"
    poor = software(schedulers={"loky": absent}, lacking={"csv_max_price": "pyarrow", "csv_text": "pyarrow"})
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
    assert planning.plan(options(), software()).environment == {"GILBENCH_PYTHON": "3.13t"}
    assert planning.plan(options(), software(tag="")).environment == {}
    assert "/" not in str(planning.plan(options(), software()).as_json())


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
    environment = {planning.PYTHON: begun} if begun else {}
    Journal(tmp_path / "a.jsonl", replace(plan(), environment=environment), MACHINE, new=True).close()
    interpreter = replace(OTHER, tag=now) if now else None
    if line is None:
        assert resuming.begun(options(results=tmp_path), interpreter).name == "a"
        return
    with pytest.raises(UserError, match=re.escape(f"{tmp_path / 'a.jsonl'} {line}") + "$"):
        resuming.begun(options(results=tmp_path), interpreter)


def test_a_run_is_not_gone_on_with_when_its_software_or_the_gil_has_changed() -> None:
    before = Result("a", plan(), MACHINE)
    assert resuming.resumed(before, Path("a.json"), options(max_time=9.0), software()).plan.profile.max_time == 9.0
    for key, value in (("python_version", "3.13.6"), ("gil", "disabled"), ("pyarrow_version", "99")):
        changed = software(machine={**MACHINE, key: value})
        with pytest.raises(UserError, match=rf"a.jsonl was begun with {key} .* \(here {value}\): resume it there"):
            resuming.resumed(before, Path("a.json"), options(), changed)


def test_an_unknown_interpreter_is_one_line_before_anything_is_made(tmp_path: Path) -> None:
    for name in ("9.99", ""):
        with pytest.raises(UserError, match=f"no interpreter '{name}'"):
            runner.run(options(python=name, results=tmp_path / "results"), io.StringIO(), io.StringIO())
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_found_before_an_environment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    (tmp_path / "there.json").touch()
    for wrong, line in (
        ({"workloads": ("no_such",)}, "no workload or family matches"),
        ({"sizes": ("huge",)}, "no size is named"),
        ({"data": f"{tmp_path}/*.csv"}, "no file matches --data"),
        ({"name": "there"}, "already exists"),
        ({"resume": True}, "no unfinished run"),
    ):
        with pytest.raises(UserError, match=line):
            runner.run(options(python="3.13t", results=tmp_path, **wrong), io.StringIO(), io.StringIO())


def test_ctrl_c_while_an_environment_is_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software_module, "measuring", interrupt)
    err = io.StringIO()
    assert runner.run(options(python="3.13t", results=tmp_path), err, io.StringIO()) == 130
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
    assert runner.run(asked, io.StringIO(), out) == 0
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
    monkeypatch.setattr(runner, "Workers", Recording)
    asked = options(python="/some/python", workloads=("sleep",), schedulers=("sync",), results=tmp_path)
    assert runner.run(asked, io.StringIO(), io.StringIO()) == 0
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

    monkeypatch.setattr(prober, "probe", probe)
    return probed


def timed(tmp_path: Path, workloads: int = 2, failures: Mapping[str, tuple[str, str]] | None = None) -> Result:
    script = Script(noisy(0.01), failures or {})
    return measure_into(Result("r", plan(workloads), MACHINE), tmp_path / "r.json", script)


def never(case: Case) -> Any:
    raise AssertionError("the script starts no process")


def test_what_was_timed_is_probed_and_kept_in_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed, said = scripted_probes(monkeypatch), list[str]()
    result = timed(tmp_path, 3, {"w1:default:sync:1x1": ("raised", "ValueError: no")})
    explained = runner.explained(result, tmp_path / "r.json", never, said.append)
    assert probed == ["w0", "w2", prober.ANY], "w1 failed: there is no timing to explain"
    assert said == ["probing 1/3: w0", "probing 2/3: w2", "probing 3/3: the schedulers"]
    kept = load(tmp_path / "r.json")
    assert kept.probes == explained.probes and [probing.workload for probing in kept.probes] == ["w0", "w2", ""]
    assert len(kept.observations) == len(result.observations)


def test_where_nothing_was_timed_nothing_is_probed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed = scripted_probes(monkeypatch)
    result = timed(tmp_path, 1, {"w0:default:sync:1x1": ("raised", "ValueError: no")})
    assert runner.explained(result, tmp_path / "r.json", never, print) == result
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
        runner.explained(result, path, never, print, again=" --probe")
    kept = resuming.begun(options(results=tmp_path, name="r", probe=True), None)
    assert [probing.workload for probing in kept.probes] == ["w0"]
    assert kept.observations == load(path).observations and len(kept.observations) == len(result.observations)
    probed = scripted_probes(monkeypatch)
    assert [probing.workload for probing in runner.explained(kept, path, never, print).probes] == ["w0", "w1", ""]
    assert probed == ["w1", prober.ANY], "what was found is not asked again"


@pytest.mark.parametrize(
    ("changes", "tag", "wanted"),
    [
        ({}, "", ""),
        ({"python": "/my python"}, "3.13t", " --python '/my python'"),
        ({"results": Path("else where"), "probe": True}, "", " -o 'else where' --probe"),
    ],
)
def test_what_to_type_to_go_on_has_all_that_resuming_needs(changes: dict[str, Any], tag: str, wanted: str) -> None:
    assert resuming.resume_options(options(**changes), software(tag)) == wanted


def test_only_for_its_probes_is_a_finished_run_gone_on_with(tmp_path: Path) -> None:
    timed(tmp_path)
    with pytest.raises(UserError, match="no unfinished run 'r'"):
        resuming.begun(options(results=tmp_path, name="r"), None)
    with pytest.raises(UserError, match=r"r.json was begun without --python: leave it out"):
        resuming.begun(options(results=tmp_path, name="r", probe=True), OTHER)


def test_no_probe_begins_when_the_time_is_up_and_the_conclusion_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((1.0, 9.0, 99.0))
    monkeypatch.setattr(runner.time, "monotonic", lambda: next(clock))
    probed = scripted_probes(monkeypatch)
    result = runner.explained(timed(tmp_path, 4), tmp_path / "r.json", never, print, until=10.0)
    assert probed == ["w0", "w1"]
    text = narration.conclusion(result, Path("r.json"), probed=True)
    assert "not probed (max time): w2, w3, the schedulers" in text.splitlines()
    assert "not probed" not in narration.conclusion(result, Path("r.json"))


def test_the_probes_get_a_third_of_the_users_time_and_none_of_the_profiles() -> None:
    alone, shared = ({"max_time": 90.0, "probe": probe} for probe in (False, True))
    assert planning.plan(options(**alone), software_module.here()).profile.max_time == 90.0
    assert planning.plan(options(**shared), software_module.here()).profile.max_time == pytest.approx(60.0)
    profile = planning.plan(options(probe=True), software_module.here()).profile
    assert profile.max_time == planning.plan(options(), software_module.here()).profile.max_time


def test_the_introduction_says_that_probes_follow() -> None:
    lines = narration.introduction(plan(cases=2), done=0, probed=True).splitlines()
    assert lines[1] == "then the probes, about 15 s for each of 2 workloads and for the schedulers"


def test_each_reason_why_something_was_not_probed_is_a_line() -> None:
    absent, short = "no /proc here", "the compute is too short"
    probes = (
        Probing("sleep", "tiny", {}, {"gil": {"sync": absent, "threads": absent}, "timeline": {"sync": short}}),
        Probing("sort", "tiny", {}, {"gil": {"sync": absent}, "memory": {"sync": absent}}),
        Probing("", "tiny", {}, {"granularity": {"threads": short}}),
    )
    assert list(narration.unavailable(probes)) == [
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
    monkeypatch.setattr(runner, "Workers", Recording)
    monkeypatch.setattr(runner, "LiveProbed", live)
    monkeypatch.setattr(prober, "probe", probe)
    asked = options(python="3.13t", workloads=("sleep",), schedulers=("sync",), results=tmp_path, name="r", probe=True)
    out, err = io.StringIO(), io.StringIO()
    assert runner.run(asked, err, out) == 0
    process = ("sync", 10.0, {"GILBENCH_PYTHON": "3.13t", "PYTHONPATH": "/code"}, "/some/python")
    assert order == ["timed", "sleep", process, prober.ANY, process]
    assert "probing 1/2: sleep\nprobing 2/2: the schedulers\n" in err.getvalue()
    assert "unavailable: gil of sleep, the schedulers: no /proc here\n" in out.getvalue()
    assert [probing.workload for probing in load(tmp_path / "r.json").probes] == ["sleep", ""]
    again = io.StringIO()
    assert runner.run(replace(asked, resume=True), again, io.StringIO()) == 0
    assert again.getvalue() == "", "nothing is timed or probed a second time"
    assert order.count("timed") == 1
