"""The child's side of a benchmark: calibration, turns, and what is noticed; without processes or a clock."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gilbench.checks.driven.turn_taking import MOST_LOOPS, TURN, Calls, CommandFailed, Task, Turns, timed_command
from gilbench.errors import Failure


class Stage:
    """Turns whose parent grants what it is told to, and keeps the answers."""

    def __init__(self, *grants: int, **task: Any) -> None:
        self.answers: list[dict[str, Any]] = []
        granted: queue.SimpleQueue[str] = queue.SimpleQueue()
        for grant in (*grants, 0):
            granted.put(f"{grant}\n")
        self.turns = Turns(Task("pytest_tests", str(Path.cwd()), **task), self.say, granted)

    def say(self, **answer: Any) -> None:
        self.answers.append(answer)

    def remarks(
        self, timed: Callable[[int], float], watched: object = None, before_end: Callable[[], None] | None = None
    ) -> list[str]:
        self.turns.begin("b")
        self.turns.take(timed, watched)
        if before_end:
            before_end()
        self.turns.end()
        found: list[str] = self.answers[-1]["remarks"]
        return found


def scripted(seconds: float, log: list[int] | None = None) -> Callable[[int], float]:
    def timed(loops: int) -> float:
        if log is not None:
            log.append(loops)
        return seconds * loops

    return timed


@pytest.mark.parametrize("seconds", [50e-9, 1e-6, 1e-3, 0.5, 30.0])
def test_a_turn_is_long_enough_and_a_long_benchmark_is_called_once(seconds: float) -> None:
    stage, log = Stage(calibrates=True), []
    stage.remarks(scripted(seconds, log))
    loops = stage.answers[0]["ready"]
    assert TURN <= loops * seconds <= max(seconds, 3 * TURN)
    assert stage.answers[0]["seconds"] == pytest.approx(seconds)
    assert seconds < TURN or log == [1]


def test_what_takes_no_time_at_all_ends_somewhere() -> None:
    stage = Stage(calibrates=True)
    stage.remarks(scripted(0.0))
    assert stage.answers[0]["ready"] == MOST_LOOPS


def test_only_one_arm_calibrates_and_known_loops_are_kept() -> None:
    log: list[int] = []
    stage = Stage(3, 3, loops={"b": 3})
    stage.remarks(scripted(2.0, log))
    assert log == [3, 3]
    assert [answer.get("value") for answer in stage.answers] == [None, 2.0, 2.0, None]


def test_where_the_other_arm_failed_this_one_is_called_once_to_see_whether_it_fails_too() -> None:
    stage = Stage()

    def fails(loops: int) -> float:
        raise ValueError("no")

    stage.turns.begin("b")
    with pytest.raises(ValueError, match="no"):
        stage.turns.take(fails)


def test_a_failure_names_files_relative_to_the_tree() -> None:
    stage = Stage()
    stage.turns.begin("b")
    stage.turns.end(Failure("raised", f"no ({Path.cwd()}{os.sep}pkg{os.sep}a.py:3)"))
    assert stage.answers[-1]["failed"] == ["raised", f"no (pkg{os.sep}a.py:3)"]


def test_changing_arguments_and_results_are_noticed_and_steady_ones_are_not() -> None:
    changed: list[int] = []
    count = iter(range(10**9))
    assert Stage(calibrates=True).remarks(Calls(lambda: changed.append(1)), changed) == [
        "changes its arguments, so later calls get others than the first"
    ]
    assert Stage(calibrates=True).remarks(Calls(lambda: next(count))) == ["returns something else from call to call"]
    assert Stage(calibrates=True).remarks(Calls(lambda: [1, 2]), ([1],)) == []
    assert Stage(calibrates=True).remarks(Calls(object), ([1],)) == [], "objects that say nothing of equality"
    (lazy,) = Stage(calibrates=True).remarks(Calls(lambda: (x for x in (1,))))
    assert "generator" in lazy


def test_the_working_folder_is_restored_and_threads_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    stop = threading.Event()

    def leave() -> None:
        os.chdir("other")
        threading.Thread(target=stop.wait).start()

    stage = Stage(1)
    try:
        found = stage.remarks(scripted(1.0), before_end=leave)
    finally:
        stop.set()
    assert found == ["changes the working folder", "leaves 1 thread running"]
    assert stage.answers[-1]["leaves"] is True
    assert Path.cwd() == tmp_path


def test_a_command_that_fails_says_its_exit_code_and_last_line() -> None:
    timed = timed_command(["python", "-c", "import sys; print('so'); sys.exit('no')"])
    with pytest.raises(CommandFailed, match="exit code 1: no"):
        timed(1)


def test_a_slowed_turn_reports_the_longer_time() -> None:
    stage = Stage(1, slowdown=0.5)
    stage.remarks(scripted(0.001))
    assert stage.answers[1]["value"] >= 0.0015
