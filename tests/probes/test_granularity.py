"""The granularity probe: the search on scripted curves, the shapes of the graphs, and one real run."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import dask
import pytest
from dask.local import get_sync

from gilbench.cases.case import Case
from gilbench.cases.checking import WrongAnswer
from gilbench.cases.counting import counting
from gilbench.measure import prober
from gilbench.probes import Found, Probed, Question, Scene, Unavailable, _patterns, all_probes, granularity_probe
from gilbench.probes._patterns import PATTERNS, Graph, Speed, answers, rounds, steps_of, tasks, tasks_per_worker
from gilbench.probes.granularity_probe import HALF, LONGEST, MOST, SHORTEST, TIGHT, described, metg_text, search
from gilbench.schedulers import Opened, Setup

Curve = Callable[[float], float]


def scheduler(overhead: float, best: float = 1.0) -> Curve:
    """The efficiency under a scheduler that adds `overhead` seconds to each task: half where a task takes as long."""
    return lambda seconds: best * seconds / (seconds + overhead)


class Counted:
    """A curve that remembers what it was asked."""

    def __init__(self, curve: Curve) -> None:
        self.curve, self.asked = curve, list[float]()

    def __call__(self, seconds: float) -> float:
        self.asked.append(seconds)
        return self.curve(seconds)


# --- The search


@pytest.mark.parametrize("overhead", [1.1e-5, 4.7e-5, 1e-3, 3.3e-3, 0.02, 0.09])
def test_the_search_finds_the_overhead_of_a_task(overhead: float) -> None:
    curve = Counted(scheduler(overhead))
    found = search(curve)
    assert found.seconds == pytest.approx(overhead, rel=0.01)
    assert found.low <= overhead <= found.high <= found.low * TIGHT * 1.001
    assert found.bound == ""
    assert len(curve.asked) <= 8
    assert found.points == tuple(sorted(found.points))
    assert {seconds for seconds, _ in found.points} == set(curve.asked)


def test_both_ends_are_tried_first_then_the_middle() -> None:
    curve = Counted(scheduler(1e-4))
    search(curve)
    assert curve.asked[:3] == pytest.approx([LONGEST, SHORTEST, 1e-3])


@pytest.mark.parametrize("seed", range(30))
def test_symmetric_noise_moves_it_little(seed: int) -> None:
    chance, exact = random.Random(seed), scheduler(1e-3)
    found = search(lambda seconds: exact(seconds) * chance.gauss(1, 0.04))
    assert found.seconds is not None
    assert 0.5e-3 < found.seconds < 2e-3


@pytest.mark.parametrize("spoiled", range(10))
@pytest.mark.parametrize("overhead", [3e-5, 2e-4, 3e-3])
def test_no_single_disturbed_measurement_leads_it_astray(spoiled: int, overhead: float) -> None:
    measurements, exact = iter(range(100)), scheduler(overhead)
    curve = Counted(lambda seconds: exact(seconds) * (0.3 if next(measurements) == spoiled else 1.0))
    found = search(curve)
    assert found.seconds is not None
    assert overhead / TIGHT < found.seconds < overhead * TIGHT
    assert len(curve.asked) <= MOST


def test_a_curve_with_a_dip_gives_a_crossing_of_it() -> None:
    exact = scheduler(1e-4)
    found = search(lambda seconds: 0.3 if 2e-3 < seconds < 5e-3 else exact(seconds))
    assert found.seconds == pytest.approx(1e-4, rel=0.01)
    at_the_middle = search(lambda seconds: 0.3 if 5e-4 < seconds < 2e-3 else exact(seconds))
    assert at_the_middle.seconds is not None
    assert at_the_middle.low < 2e-3 <= at_the_middle.high * 1.001


def test_it_always_ends() -> None:
    chance = random.Random(1)
    for _ in range(300):
        curve = Counted(lambda seconds: chance.random())
        found = search(curve)
        assert len(curve.asked) <= MOST
        if found.seconds is not None:
            assert SHORTEST <= found.low <= found.seconds <= found.high <= LONGEST


def test_out_of_reach_is_an_answer() -> None:
    above, below = search(scheduler(1.0)), search(scheduler(1e-7))
    assert (above.seconds, above.bound, above.low) == (None, "above", LONGEST)
    assert (below.seconds, below.bound, below.high) == (None, "below", SHORTEST)
    assert described(above)["metg"] is None
    assert described(above)["reason"] == "tasks of 100 ms have 0.09 of the ideal efficiency at best, less than half"
    assert described(below)["reason"] == "even tasks of 10.0 µs keep half of the efficiency"


def test_a_disturbed_first_measurement_of_the_shortest_task_is_corrected() -> None:
    measurements = iter([1.0, 0.2, *[0.9] * 20])
    assert search(lambda seconds: next(measurements)).bound == "below"


def test_long_computes_that_are_always_disturbed_do_not_hide_the_short_ones() -> None:
    exact = scheduler(1e-3)
    found = search(lambda seconds: 0.4 if seconds > 0.02 else exact(seconds))
    assert found.seconds == pytest.approx(1e-3, rel=0.01)


def test_a_low_ceiling_moves_the_crossing_and_shows_as_the_best() -> None:
    found = described(search(scheduler(1e-3, best=0.6)))
    assert found["metg"] == pytest.approx(5e-3, rel=0.02), "0.6 d / (d + 1 ms) is half at 5 ms"
    assert 0.55 < found["best"] < 0.6
    assert "bound" not in found
    assert all(len(point) == 2 for point in found["points"])


# --- What a person reads


def test_figures_in_words() -> None:
    at = [{"metg": seconds} for seconds in (4.512e-4, 6e-4, 1.23e-3)]
    below, above = {"metg": None, "bound": "below"}, {"metg": None, "bound": "above"}
    assert metg_text(at[:1]) == "450 µs"
    assert metg_text(at[:2]) == "450 to 600 µs"
    assert metg_text(at[::-1]) == "450 µs to 1.2 ms"
    assert metg_text([below]) == "less than 10 µs"
    assert metg_text([above, above]) == "more than 100 ms"
    assert metg_text([below, at[0]]) == "less than 10 to 450 µs"
    assert metg_text([above, at[2]]) == "1.2 ms to more than 100 ms"
    assert metg_text([{"metg": 9.96e-4}, {"metg": 0.0999}]) == "1 to 100 ms"


def test_lines() -> None:
    one = {"metg": 4.5e-4, "best": 0.9, "workers": 2}
    poor = {"metg": None, "bound": "above", "best": 0.4, "workers": 2}
    assert list(granularity_probe.format({"threads": {"trivial": one, "tree": {**one, "metg": 6e-4}}})) == [
        "threads keeps half its efficiency down to tasks of 450 µs (trivial), 600 µs (tree)"
    ]
    assert list(granularity_probe.format({"loky": {"trivial": poor}})) == [
        "loky keeps half its efficiency down to tasks of more than 100 ms (trivial)",
        "loky never gets beyond 0.40 of the ideal, as if its 2 workers had no CPU each",
    ]
    assert list(granularity_probe.format({})) == []


# --- The graphs


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("workers", [1, 2, 3, 16])
@pytest.mark.parametrize("per_worker", [3, 4, 7, 16])
def test_steps_depend_on_the_step_before_only(pattern: str, workers: int, per_worker: int) -> None:
    steps = steps_of(pattern, workers, per_worker)
    widths = [0, *map(len, steps)]
    for before, step in zip(widths, steps, strict=False):
        assert all(0 <= i < before for inputs in step for i in inputs)
    assert not any(steps[0])
    assert 0.75 * per_worker * workers - 1 <= tasks(steps) <= max(per_worker, 4) * workers
    assert rounds(steps, workers) >= tasks(steps) / workers
    if pattern != "tree":
        assert rounds(steps, workers) == tasks(steps) / workers, "every step fills the workers"


def test_shapes() -> None:
    assert steps_of("trivial", 2, 3) == [[()] * 6]
    assert [list(map(list, step)) for step in steps_of("stencil_1d", 2, 6)] == [
        [[], [], [], []],
        *[[[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]] * 2,
    ]
    assert [list(map(list, step)) for step in steps_of("tree", 1, 6)] == [[[], [], []], [[0, 1], [2]], [[0, 1]]]
    assert [list(map(list, step)) for step in steps_of("all_to_all", 2, 3)] == [[[], []], *[[[0, 1], [0, 1]]] * 2]
    with pytest.raises(ValueError, match="no such pattern: fft"):
        steps_of("fft", 2, 3)


def test_the_end_of_a_tree_is_not_held_against_a_scheduler() -> None:
    steps = steps_of("tree", 4, 16)
    assert list(map(len, steps)) == [32, 16, 8, 4, 2, 1]
    assert rounds(steps, 4) == 8 + 4 + 2 + 1 + 1 + 1 > tasks(steps) / 4


def test_long_tasks_are_few() -> None:
    assert tasks_per_worker(1e-5, 2) == 16
    assert tasks_per_worker(1e-5, 1) == 32, "some tens of tasks"
    assert tasks_per_worker(0.025, 2) == 8
    assert tasks_per_worker(0.1, 2) == 3


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_dask_computes_every_task_by_itself(pattern: str, workers: int) -> None:
    steps = steps_of(pattern, workers, 8)
    with counting({}) as count:
        (results,) = dask.compute(Graph(steps, 10), scheduler=get_sync)
    assert results == answers(steps)
    assert count.tasks == tasks(steps) + 1, "nothing is fused; one more brings the last step together"


def test_answers_count_paths() -> None:
    assert answers(steps_of("trivial", 2, 2)) == [1, 1, 1, 1]
    assert answers(steps_of("tree", 1, 8)) == [7]
    assert answers(steps_of("all_to_all", 2, 3)) == [7, 7], "1, then 1 + 2 * 1, then 1 + 2 * 3"


def test_keys_are_fresh_and_dasks_default_scheduler_takes_them() -> None:
    steps = steps_of("tree", 1, 4)
    first, second = Graph(steps, 10), Graph(steps, 10)
    assert not set(first.tasks) & set(second.tasks)
    assert dask.compute(first, second) == (answers(steps), answers(steps))


def test_tasks_travel_by_name() -> None:
    assert len(pickle.dumps(_patterns.work)) < 100


def test_work_of_a_length_has_as_many_bytes() -> None:
    speed = Speed(fixed=1e-6, each=2e-10)
    assert speed.bytes_for(10e-6) == 45_000
    assert speed.seconds_for(45_000) == pytest.approx(10e-6)
    assert speed.bytes_for(1e-7) == 1


def test_calibration_takes_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def work(size: int) -> int:
        clock[0] += 2e-6 + size * 1e-9 + (0.003 if 0.02 < clock[0] < 0.05 else 0.0)
        return 1

    monkeypatch.setattr(_patterns, "work", work)
    monkeypatch.setattr("gilbench.probes._patterns.time.perf_counter", lambda: clock[0])
    speed = _patterns.calibrate(0.1)
    assert (speed.fixed, speed.each) == (pytest.approx(2e-6, rel=0.01), pytest.approx(1e-9, rel=1e-3))


# --- What is asked


class Scripted:
    """A probed process under a scheduler that adds these seconds to each task of a pattern."""

    pid = 1

    def __init__(self, overheads: dict[str, float], *rooms: float) -> None:
        self.overheads, self.rooms = overheads, list(rooms)
        self.case = Case("sleep", "tiny", "distributed", 3, 2)
        self.asked: list[tuple[Question, dict[str, Any]]] = []

    def pose(self, question: Question, **what: Any) -> None:
        raise NotImplementedError

    def answer(self) -> Found:
        raise NotImplementedError

    def ask(self, question: Question, **what: Any) -> Found:
        self.asked.append((question, what))
        if question is granularity_probe.calibrate_work:
            return {"fixed": 1e-7, "each": 2e-10}
        if question is granularity_probe.efficiency_without_scheduler:
            return {"room": self.rooms.pop(0) if self.rooms else 0.9}
        return {"efficiency": scheduler(self.overheads[what["pattern"]])(what["task_seconds"]), "computes": 3}


def test_it_asks_for_the_efficiency_of_every_pattern() -> None:
    overheads = dict(zip(PATTERNS, (1e-4, 2e-4, 1e-6, 5.0), strict=True))
    probed = Scripted(overheads)
    typed: Probed = probed
    found = granularity_probe.examine(typed)
    assert list(found) == list(PATTERNS)
    assert found["trivial"]["metg"] == pytest.approx(1e-4, rel=0.01)
    assert found["stencil_1d"]["metg"] == pytest.approx(2e-4, rel=0.01)
    assert (found["tree"]["bound"], found["all_to_all"]["bound"]) == ("below", "above")
    assert all((metg["workers"], metg["processes"], metg["threads"]) == (6, 3, 2) for metg in found.values())
    assert [question for question, _ in probed.asked[:2]] == [
        granularity_probe.calibrate_work,
        granularity_probe.efficiency_without_scheduler,
    ]
    assert {
        what["pattern"] for question, what in probed.asked if question is granularity_probe.efficiency_of_pattern
    } == set(PATTERNS)
    assert all(what["workers"] == 6 and what["each"] == 2e-10 for _, what in probed.asked[1:])


def test_a_busy_machine_is_no_ones_granularity() -> None:
    reason = (
        r"other programs take the CPUs: even 6 threads that need no scheduler reached 0\.30 of the ideal; measure again"
    )
    at_once = Scripted(dict.fromkeys(PATTERNS, 1e-4), 0.3)
    with pytest.raises(Unavailable, match=reason):
        granularity_probe.examine(at_once)
    assert [question for question, _ in at_once.asked] == [
        granularity_probe.calibrate_work,
        granularity_probe.efficiency_without_scheduler,
    ]
    with pytest.raises(Unavailable, match=reason):
        granularity_probe.examine(Scripted(dict.fromkeys(PATTERNS, 5.0), 0.9, 0.3))
    found = granularity_probe.examine(Scripted(dict.fromkeys(PATTERNS, 1e-4), 0.9, 0.3))
    assert set(found) == set(PATTERNS), "nobody asks where half is within reach"


def test_room_is_what_threads_reach_without_a_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granularity_probe, "TRIAL", 0.002)
    what = {"workers": 1, "fixed": 0.0, "each": 1e-11}  # as if the work took next to no time, were the machine free
    assert granularity_probe.efficiency_without_scheduler(scene([]), **what)["room"] < 0.5
    slow = {"workers": 1, "fixed": 0.0, "each": 1e-6}
    assert granularity_probe.efficiency_without_scheduler(scene([]), **slow)["room"] > 0.5


def scene(settled: list[int]) -> Scene:
    case = Case("sleep", "tiny", "sync", 1, 1)
    opened = Opened({"scheduler": get_sync}, lambda: settled.append(1))
    return Scene(case, None, None, Setup(), opened, list, 0.0)  # type: ignore[arg-type]


def test_every_compute_settles_and_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[int] = []
    steps = steps_of("tree", 1, 4)
    walls = granularity_probe._computes(scene(settled), steps, 1, lambda walls: len(walls) == 3)
    assert len(walls) == len(settled) == 3
    assert all(wall > 0 for wall in walls)
    monkeypatch.setattr(_patterns, "answers", lambda steps: [0])
    with pytest.raises(WrongAnswer, match=r"gives \[3\], not \[0\]"):
        granularity_probe._computes(scene(settled), steps, 1, lambda walls: True)


def test_efficiency_is_of_the_fastest_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granularity_probe, "_computes", lambda *_: [0.2, 0.064, 0.1])
    answer = granularity_probe.efficiency_of_pattern(
        scene([]), pattern="trivial", task_seconds=1e-3, workers=2, fixed=0.0, each=1e-9
    )
    assert answer == {"efficiency": pytest.approx(0.25), "computes": 3}, "16 tasks of 1 ms for each of two workers"


def test_more_computes_where_half_is_near() -> None:
    enough = granularity_probe.enough
    assert not enough([0.01], 0.009)
    assert enough([0.01, 0.02], 0.009), "0.9 is clear"
    assert enough([0.1, 0.2], 0.01), "0.1 is clear"
    assert not enough([0.02, 0.04], 0.009)
    assert enough([0.02, *[0.04] * 10], 0.009), "0.42 s were spent"
    assert enough([0.002] * 12, 0.0009), "these are many"


def test_calibrating_runs_every_pattern_first() -> None:
    settled: list[int] = []
    speed = granularity_probe.calibrate_work(scene(settled))
    assert len(settled) == len(PATTERNS)
    assert speed["each"] > 0 <= speed["fixed"]


def test_it_is_a_probe_of_schedulers() -> None:
    probe = all_probes()["granularity"]
    assert not probe.of_workloads
    assert probe.suits(Case("sleep", "tiny", "anything"))
    assert "METG" in probe.summary


@pytest.mark.serial
def test_a_real_scheduler() -> None:
    start = lambda case: prober.LiveProbed(case, 60.0)  # noqa: E731
    found = prober.probe("sleep", "tiny", ("threads",), ("granularity",), start, cpus=2)
    if reasons := found.reasons["granularity"]:
        assert "other programs take the CPUs" in reasons["threads"], reasons
        pytest.skip(reasons["threads"])
    patterns = found.found["granularity"]["threads"]
    assert list(patterns) == list(PATTERNS)
    for metg in patterns.values():
        assert metg["workers"] == 2
        assert metg["best"] == max(efficiency for _, efficiency in metg["points"])
        assert all(seconds > 0 and efficiency > 0 for seconds, efficiency in metg["points"])
        # On a busy machine no task may reach half.
        assert metg["bound"] == "above" if metg["metg"] is None else SHORTEST <= metg["metg"] <= LONGEST
        assert math.isfinite(metg["best"]) and (metg["metg"] is None) == (metg["best"] < HALF)
    assert len(list(granularity_probe.format(found.found["granularity"]))) in (1, 2)
