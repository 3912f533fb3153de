"""`gilbench probe`: who is asked what, what a failing process means for the others, and the page that is printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import psutil
import pytest

from gilbench.cases.case import Case
from gilbench.errors import UserError
from gilbench.measure import prober
from gilbench.measure.prober import ProbeOptions
from gilbench.probes import Found, Probe, Probed, Question, Scene, Unavailable, all_probes, gil_probe
from gilbench.process.talk import Broken
from gilbench.results.records import Probing
from tests.scripted import plan

Answer = Callable[[], Found]


def raises(error: Exception) -> Answer:
    def answer() -> Found:
        raise error

    return answer


class Fake:
    """A probed process from a script: how it gets ready, and how it answers each probe. Logs what it is asked."""

    pid = 1

    def __init__(self, case: Case, log: list[str], ready: Broken | None = None, **answers: Answer) -> None:
        self.case, self.log, self._ready, self.answers = case, log, ready, answers
        self._note("starts")

    def _note(self, what: str) -> None:
        self.log.append(f"{self.case.scheduler}{'' if self.case.pinned else '*'} {what}")

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *error: object) -> None:
        self._note("is over")

    def end(self) -> None:
        self._note("ends")

    def wait(self) -> None:
        self._note("is open")

    def ready(self) -> Mapping[str, Any]:
        self._note("is ready")
        if self._ready:
            raise self._ready
        return {}

    def ask(self, question: Question, **what: Any) -> Found:
        name = question.__name__
        self._note(name)
        return self.answers.get(name, lambda: {"from": self.case.scheduler})()


def a_probe(name: str, **changes: Any) -> Probe:
    def question(scene: Scene) -> Found:
        raise NotImplementedError

    question.__name__ = name

    def examine(probed: Probed) -> Found:
        return probed.ask(question)

    def format(found: Mapping[str, Found]) -> Iterator[str]:
        yield from (f"{scheduler}: {one}" for scheduler, one in found.items())

    usual: dict[str, Any] = {"schedulers": None, "pinned": True, "of_workloads": True}
    return Probe(name=name, summary="", examine=examine, format=format, **(usual | changes))


@pytest.fixture
def two_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One probe for all schedulers, one for sync with its inner threads, one of the schedulers themselves."""
    probes = [
        a_probe("weight"),
        a_probe("inner", schedulers=("sync",), pinned=False),
        a_probe("own", of_workloads=False),
    ]
    monkeypatch.setattr(prober, "all_probes", lambda: {probe.name: probe for probe in probes})


def run(start: Callable[[Case], Any], schedulers: tuple[str, ...] = ("sync", "threads")) -> Probing:
    return prober.probe("sleep", "tiny", schedulers, ("weight", "inner"), start, cpus=2)


# --- Who is asked


def test_questions_are_of_targets_or_of_the_schedulers() -> None:
    of_workloads = [name for name, probe in all_probes().items() if probe.of_workloads]
    assert {"gil", "memory", "timeline", "traffic", "inner_threads"} <= set(of_workloads)
    assert prober.questions(["a", "b"], []) == [("a", of_workloads), ("b", of_workloads)]
    assert prober.questions(["a"], ["gil", "granularity"]) == [("a", ["gil"]), ("", ["granularity"])]
    assert prober.questions(["a"], ["granularity"]) == [("", ["granularity"])]
    assert prober.questions([], ["gil"]) == []


def test_cases_are_the_widest_and_sync_once_more_with_its_threads() -> None:
    found = prober.cases("sleep", "tiny", ("sync", "threads", "processes"), 4)
    assert [(c.scheduler, c.workers, c.threads, c.pinned) for c in found] == [
        ("sync", 1, 1, True),
        ("threads", 1, 4, True),
        ("processes", 4, 1, True),
        ("sync", 1, 1, False),
    ]


def test_schedulers_asked_for_are_taken_as_they_are() -> None:
    assert prober.schedulers_of(("loky",)) == ["loky"]
    assert prober.schedulers_of(())[:3] == ["sync", "threads", "processes"]


@pytest.mark.usefixtures("two_probes")
def test_all_open_first_and_then_one_works_at_a_time() -> None:
    log: list[str] = []
    found = run(lambda case: Fake(case, log))
    assert log == [
        *("sync starts", "threads starts", "sync* starts"),
        *("sync is open", "threads is open", "sync* is open"),
        *("sync is ready", "sync weight", "sync ends"),
        *("threads is ready", "threads weight", "threads ends"),
        *("sync* is ready", "sync* inner", "sync* ends"),
        *("sync* is over", "threads is over", "sync is over"),
    ]
    assert found.found == {
        "weight": {"sync": {"from": "sync"}, "threads": {"from": "threads"}},
        "inner": {"sync": {"from": "sync"}},
    }
    assert found.reasons == {"weight": {}, "inner": {}}


@pytest.mark.usefixtures("two_probes")
def test_no_process_is_started_for_a_scheduler_that_no_probe_suits() -> None:
    log: list[str] = []
    prober.probe("sleep", "tiny", ("sync", "threads"), ("inner",), lambda case: Fake(case, log), cpus=2)
    assert {line.split()[0] for line in log} == {"sync*"}


# --- What goes wrong


@pytest.mark.usefixtures("two_probes")
def test_a_process_that_dies_costs_its_own_probes_only() -> None:
    def start(case: Case) -> Fake:
        broken = Broken("killed", "exit code 3: it printed nothing") if case.scheduler == "threads" else None
        return Fake(case, [], ready=broken)

    found = run(start)
    assert found.reasons == {
        "weight": {"threads": "its process died (exit code 3: it printed nothing)"},
        "inner": {},
    }
    assert set(found.found["weight"]) == {"sync"} and found.found["inner"]


@pytest.mark.parametrize(
    ("error", "reason", "goes_on"),
    [
        (Unavailable("no GIL here"), "no GIL here", True),
        (Broken("raised", "ValueError: no (my.py:3)"), "raised: ValueError: no (my.py:3)", True),
        (Broken("wrong answer", "got 1"), "wrong answer: got 1", True),
        (Broken("timeout", "no answer within 60 s: see --timeout"), "no answer within 60 s: see --timeout", False),
        (Broken("killed", "exit code 3: boo"), "its process died (exit code 3: boo)", False),
    ],
)
def test_a_probe_that_fails(error: Exception, reason: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "all_probes", lambda: {name: a_probe(name) for name in ("first", "second")})
    log: list[str] = []
    found = prober.probe(
        "sleep", "tiny", ("threads",), ("first", "second"), lambda case: Fake(case, log, first=raises(error)), cpus=2
    )
    assert found.reasons["first"] == {"threads": reason}
    assert found.reasons["second"] == ({} if goes_on else {"threads": reason})
    assert bool(found.found["second"]) == ("threads second" in log) == goes_on
    assert log[-1] == "threads is over"


@pytest.mark.usefixtures("two_probes")
def test_what_hangs_under_sync_is_not_waited_for_again() -> None:
    log: list[str] = []
    late = Broken("timeout", "no answer within 60 s: see --timeout")
    found = run(lambda case: Fake(case, log, ready=late))
    assert found.reasons["weight"] == {
        "sync": "no answer within 60 s: see --timeout",
        "threads": "not tried: under sync there was no answer within 60 s: see --timeout",
    }
    assert [line for line in log if line.endswith("ready")] == ["sync is ready"]
    assert [line for line in log if line.endswith("over")] == ["sync* is over", "threads is over", "sync is over"]


# --- A run's probes


@pytest.mark.usefixtures("two_probes")
def test_a_plan_is_probed_at_the_size_that_it_has_most_of() -> None:
    cases = [
        Case("a", "small", "sync"),
        Case("a", "default", "sync"),
        Case("a", "default", "threads", 1, 2),
        Case("b", "tiny", "sync"),
        Case("b", "tiny", "processes", 2, 1, measure="memory"),
    ]
    asked: list[tuple[str, str, str]] = []

    def start(case: Case) -> Fake:
        asked.append((case.workload, case.size, case.scheduler))
        return Fake(case, [])

    said: list[str] = []
    found = list(prober.of_plan(plan(cases), start, said.append))
    assert [(probing.workload, probing.size) for probing in found] == [("a", "default"), ("b", "tiny"), ("", "tiny")]
    assert said == ["probing 1/3: a", "probing 2/3: b", "probing 3/3: the schedulers"]
    assert ("a", "default", "threads") in asked
    assert not any(workload == "b" and scheduler == "threads" for workload, _, scheduler in asked), (
        "it is not timed there"
    )
    assert {scheduler for workload, _, scheduler in asked if workload == prober.ANY} == {"sync", "threads"}
    asked.clear()
    assert [probing.workload for probing in prober.of_plan(plan(cases), start, said.append, found[:1])] == ["b", ""]


# --- What a person reads


@pytest.mark.usefixtures("two_probes")
def test_a_page() -> None:
    died = "its process died (exit code 3: it printed nothing)"
    reasons = {"weight": {"threads": died, "processes": died}, "inner": {"sync": died}}
    text = prober.page(Probing("a\x1b[31m", "tiny", {"weight": {"sync": {"x": 1}, "loky": {"x": 2}}}, reasons))
    assert text.splitlines() == [
        "a?[31m, size tiny",
        "  weight        sync: {'x': 1}",
        "                loky: {'x': 2}",
        f"  unavailable   weight under threads, processes: {died}",
        f"  unavailable   inner under sync: {died}",
    ]
    assert prober.page(Probing("", "tiny", {}, {})) == "the schedulers themselves\n"


@pytest.mark.usefixtures("two_probes")
def test_a_reason_of_several_probes_is_stated_once() -> None:
    reasons = {"weight": {"sync": "no", "threads": "no"}, "own": {"sync": "no", "threads": "no"}}
    assert prober.page(Probing("a", "tiny", {}, reasons)).splitlines()[1:] == [
        "  unavailable   weight, own under sync, threads: no"
    ]


@pytest.mark.usefixtures("two_probes")
def test_long_lines_go_on_below() -> None:
    text = prober.page(Probing("a", "tiny", {"weight": {"sync": {"x": "word " * 30}}}, {}), width=60)
    first, *rest = text.splitlines()[1:]
    assert first.startswith("  weight        sync: ")
    assert rest and all(line.startswith(" " * 18) and len(line) <= 60 for line in rest)


# --- The command


def options(**changes: Any) -> ProbeOptions:
    return replace(ProbeOptions(probes=("own",), size="tiny", timeout=60.0), **changes)


@pytest.mark.usefixtures("two_probes")
def test_the_command_prints_a_page_or_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "LiveProbed", lambda case, *rest: Fake(case, []))
    err, out = io.StringIO(), io.StringIO()
    assert prober.run(options(schedulers=("sync",)), err, out) == 0
    assert err.getvalue() == "probing the schedulers\n"
    assert out.getvalue().splitlines() == ["the schedulers themselves", "  own           sync: {'from': 'sync'}"]
    data = io.StringIO()
    assert prober.run(options(schedulers=("sync",), json=True), err, data) == 0
    (probing,) = json.loads(data.getvalue())["probes"]
    assert (probing["workload"], probing["found"], probing["reasons"]) == (
        "",
        {"own": {"sync": {"from": "sync"}}},
        {"own": {}},
    )


@pytest.mark.usefixtures("two_probes")
def test_nothing_found_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Broken("killed", "exit code 3: boo")
    monkeypatch.setattr(prober, "LiveProbed", lambda case, *rest: Fake(case, [], ready=dead))
    out = io.StringIO()
    assert prober.run(options(schedulers=("sync",)), io.StringIO(), out) == 1
    assert "unavailable   own under sync: its process died (exit code 3: boo)" in out.getvalue()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"probes": ("gli",)}, "no probe is named 'gli': did you mean gil"),
        ({"probes": (), "schedulers": ("thread",)}, "no scheduler is named 'thread': did you mean threads"),
        ({"probes": (), "size": "huge"}, "no size is named 'huge'"),
        ({"probes": (), "targets": ("sleeep",)}, "'sleeep'.*did you mean sleep"),
    ],
)
def test_mistakes_are_reported_before_anything_starts(
    mistake: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prober, "LiveProbed", lambda *_: pytest.fail("a process was started"))
    with pytest.raises(UserError, match=message):
        prober.run(options(**mistake), io.StringIO(), io.StringIO())


# --- For real


def not_in_the_package(scene: Scene) -> Found:
    raise AssertionError("no probed process may run it")


@pytest.mark.serial
def test_a_live_process_gets_ready_and_ends() -> None:
    with ExitStack() as stack:
        live = [stack.enter_context(prober.LiveProbed(Case("sleep", "tiny", "sync"), 60.0)) for _ in range(2)]
        for probed in live:
            probed.wait()
            probed.wait()
        said = live[0].ready()
        assert said["pid"] == live[0].pid and said["seconds"] > 0
        with pytest.raises(
            Broken, match=r"raised: ValueError: '.*:not_in_the_package' is not a question: not in gilbench"
        ):
            live[0].ask(not_in_the_package)
        assert live[0].ask(gil_probe.stay_idle, seconds=0.001) == {}, "it lives on"
        live[0].end()
    assert not any(psutil.pid_exists(probed.pid) for probed in live)
