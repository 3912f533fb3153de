"""The inside of a probed process: its protocol with scripted questions, and what a user's function may do to it, for real."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from gilbench import probes
from gilbench.cases.case import Case
from gilbench.cases.checking import WrongAnswer
from gilbench.cases.order import Order
from gilbench.measure import probed, prober
from gilbench.probes import Found, Question, Scene, Unavailable, reference
from gilbench.targets.own import TASKS
from gilbench.variables import ITEMS


class Enough(BaseException):
    """The script of questions has ended."""


def in_the_package(monkeypatch: pytest.MonkeyPatch, **questions: Question) -> list[str]:
    """Put questions into a module that the package seems to have; return their references."""
    module = ModuleType("gilbench.probes.fake_probe")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for name, question in questions.items():
        question.__module__, question.__qualname__ = module.__name__, name
        setattr(module, name, question)
    return [reference(question) for question in questions.values()]


def serve(*references: str) -> list[Any]:
    """Return what a process with the smallest case open says, when it is asked these questions."""
    script, said = iter(("", *(json.dumps({"question": name, "what": {}}) for name in references))), list[Any]()

    def question() -> str:
        try:
            return next(script)
        except StopIteration:
            raise Enough from None

    with pytest.raises(Enough):
        probed.serve(Order(Case("sleep", "tiny", "sync"), 0, 1, "function", 0.0), question, said.append)
    return said


# --- The protocol


def test_it_opens_then_builds_then_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def question(scene: Scene) -> Found:
        return {"case": scene.case.name, "results": len(scene.compute()), "seconds": scene.seconds}

    opened, ready, answer = serve(*in_the_package(monkeypatch, question=question))
    assert set(opened) == {"pid", "open_seconds"}
    assert ready["pid"] == opened["pid"] and ready["first_seconds"] > 0
    assert answer["case"].startswith("sleep") and answer["results"] >= 1
    assert answer["seconds"] == ready["seconds"]


def test_what_a_question_raises_is_its_answer_and_the_next_one_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(error: BaseException) -> Callable[[Scene], Found]:
        def ask(scene: Scene) -> Found:
            raise error

        return ask

    def well(scene: Scene) -> Found:
        return {"fine": True}

    *asked, last = in_the_package(
        monkeypatch,
        cannot=raising(Unavailable("not here")),
        wrong=raising(WrongAnswer("got 1, not 2")),
        raised=raising(ValueError("bad\nvalue")),
        left=raising(SystemExit("bye")),
        fine=well,
    )
    cannot, wrong, raised, left, unknown, fine = serve(*asked, "gilbench.probes.fake_probe:unknown", last)[2:]
    assert cannot == {"unavailable": "not here"}
    assert wrong == {"failure": ["wrong answer", "got 1, not 2"]}
    assert raised["failure"][0] == "raised" and raised["failure"][1].startswith("ValueError: bad value")
    assert left["failure"][1].startswith("SystemExit: bye")
    assert unknown["failure"][1].startswith("ValueError: 'gilbench.probes.fake_probe:unknown' is not a question: ")
    assert fine == {"fine": True}


# --- What a user's function may do

FUNCTIONS = """
import os, signal, subprocess, sys, time
from pathlib import Path

calls = 0

def boom():
    raise ValueError("bad value")

def boom_later():
    global calls
    calls += 1
    if calls > 20:  # two computes have passed, and the process is ready
        raise RuntimeError("too many")

def die():
    os._exit(3)

def die_later():
    global calls
    calls += 1
    if calls > 20:
        os.kill(os.getpid(), signal.SIGKILL)

def hang():
    time.sleep(600)

def shout():
    print("not an answer")
    os.write(1, b'{"held": 2}\\n')
    subprocess.run([sys.executable, "-c", "import sys; print(sys.stdin.read() + 'nor this')"], check=True)

def fork():
    if os.environ.get("FORKED") != str(os.getpid()) and hasattr(os, "fork"):
        child = os.fork()
        if not child:
            os.environ["FORKED"] = str(os.getpid())  # it forks no more, and goes on as if it were the parent

def leave():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with Path(__file__).with_name("left.txt").open("a") as file:
        file.write(f"{child.pid}\\n")
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of functions that misbehave."""
    path = tmp_path / "trouble.py"
    path.write_text(FUNCTIONS)
    monkeypatch.delenv(ITEMS, raising=False)
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))
    return path


def examined(file: Path, function: str, *schedulers: str, timeout: float = 60.0) -> probes.Probing:
    """Probe the memory and the tasks' timeline of a function."""
    names = ("memory", "timeline")
    return prober.probe(
        f"{file}:{function}", "tiny", schedulers, names, lambda case: prober.LiveProbed(case, timeout), cpus=2
    )


@pytest.mark.serial
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("boom", "raised: ValueError: bad value (trouble.py:8)"),
        ("boom_later", "raised: RuntimeError: too many (trouble.py:14)"),
        ("die", "its process died (exit code 3: it printed nothing)"),
        ("die_later", "its process died (killed by SIGKILL: it printed nothing)"),
    ],
)
def test_a_function_that_fails_gives_one_reason_for_each_probe(function: str, reason: str, file: Path) -> None:
    found = examined(file, function, "sync", "threads")
    assert not any(found.found.values())
    assert found.reasons == {name: {"sync": reason, "threads": reason} for name in ("memory", "timeline")}


@pytest.mark.serial
def test_a_function_that_hangs(file: Path) -> None:
    found = examined(file, "hang", "sync", "threads", timeout=5.0)
    assert not any(found.found.values())
    assert found.reasons["timeline"] == {
        "sync": "no answer within 5 s: see --timeout",
        "threads": "not tried: under sync there was no answer within 5 s: see --timeout",
    }


@pytest.mark.serial
def test_what_a_task_prints_is_no_answer(file: Path) -> None:
    found = examined(file, "shout", "sync", "processes")
    assert not any(found.reasons.values()), found.reasons
    for timeline in found.found["timeline"].values():
        assert len(timeline["tasks"]) == TASKS


@pytest.mark.serial
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_only_the_parent_of_a_fork_answers(file: Path) -> None:
    found = examined(file, "fork", "sync")
    assert found.reasons["memory"] == {}
    assert found.found["memory"]["sync"]["peak"] > 0
    assert "fork" in found.reasons["timeline"].get("sync", "fork"), "its children have run on"


@pytest.mark.serial
def test_what_tasks_leave_behind_ends_with_them(file: Path) -> None:
    found = examined(file, "leave", "sync")
    assert not any(found.reasons.values()), found.reasons
    left = [int(line) for line in file.with_name("left.txt").read_text().split()]
    assert len(left) >= TASKS
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in left if psutil.pid_exists(pid)], timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
