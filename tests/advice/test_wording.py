"""The advice as sentences, as code and as data: from scripted heats."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.advice import wording
from gilbench.advice.racing import Contender
from gilbench.advice.target_facts import Facts
from tests.advice.scripted_heats import CLUSTER, FACTS, LOKY, PROCESSES, SYNC, THREADS, given, held


def test_the_page_is_one_screen_and_has_all_parts() -> None:
    facts = replace(held(0.97), items=4000, taken=400, result_bytes=5e5, switches=38_000.0)
    times = {SYNC: 0.4, THREADS: 0.6, PROCESSES: 0.2, LOKY: 0.22, CLUSTER: 0.9}
    page = wording.page(given(times, facts))
    assert len(page.splitlines()) < 30
    assert max(map(len, page.splitlines())) < 150
    for part in (
        "mine.py:f: processes: 4 processes of one thread each",
        "as fast as one task after the other",
        "GIL held 0.97 of the time (0.96 to 0.98): threads can give at most 1.03x",
        "38,000 GIL switches a second",
        "40 items (of 4000) of 10.0 ms; each returns 488 KiB",
        "have to be copied",
        "tasks of 10.0 ms lose 10.0 ms each to starting them",
        "what would change it",
        "free-threaded Python",
        "--once",
        "ProcessPoolExecutor(4",
    ):
        assert part in page, part


def test_items_that_were_not_looked_at_may_be_longer() -> None:
    """What a scheduler loses is then computed from all of them."""
    facts = replace(FACTS, items=40, taken=40)
    found = wording.reasons(given({SYNC: 1.2, PROCESSES: 0.4}, facts))
    assert any(line.startswith("all of them take 1.20 s, 3.0 times as long") for line in found)
    assert "processes 4x1: tasks of 30.0 ms lose 10.0 ms each to starting them" in "\n".join(found)
    assert not any(
        "the sample suggested" in line for line in wording.reasons(given({SYNC: 0.42, PROCESSES: 0.2}, facts))
    )
    assert not any(
        "the sample suggested" in line for line in wording.reasons(given({SYNC: 1.2, PROCESSES: 0.2}))
    )  # sync's own cost


@pytest.mark.parametrize("chosen", [SYNC, THREADS, PROCESSES, LOKY, CLUSTER, replace(PROCESSES, chunk=8)])
@pytest.mark.parametrize("items", [None, 100])
@pytest.mark.parametrize("once", [False, True])
def test_the_code_is_python(chosen: Contender, items: int | None, once: bool) -> None:
    facts = replace(FACTS, items=items, taken=items)
    found = given({SYNC: 1.0, chosen: 0.5 if chosen != SYNC else 1.0}, facts, once=once)
    assert found.chosen == chosen
    compile("\n".join(wording.code(found)), "code", "exec")


@pytest.mark.parametrize("chunk", [1, 8])
@pytest.mark.parametrize("items", [8, 100])
def test_the_code_computes_what_it_should(chunk: int, items: int) -> None:
    """The code for threads, run as it stands."""
    chosen = replace(THREADS, chunk=chunk)
    found = given({SYNC: 1.0, chosen: 0.5}, replace(FACTS, items=items, taken=items))
    space: dict[str, object] = {"f": lambda x: x * x, "items": range(items)}
    exec("\n".join(wording.code(found)), space)
    assert list(space["results"]) == [x * x for x in range(items)]  # type: ignore[call-overload]


@pytest.mark.serial
@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("scheduler", ["processes", "loky", "distributed"])
def test_the_code_is_a_program_also_with_processes(scheduler: str, once: bool, tmp_path: Path) -> None:
    """Pasted below a function and its items, in a file of its own, which processes import again."""
    chosen = Contender(scheduler, 2, 1, 8)
    lines = wording.code(given({SYNC: 1.0, chosen: 0.5}, replace(FACTS, items=100, taken=100), once=once))
    program = tmp_path / "mine.py"
    program.write_text(
        "\n".join(["def f(x): return x * x", "items = range(100)", *lines, "    print(sum(results), len(results))"])
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == [str(sum(x * x for x in range(100))), "100"], done.stderr


@pytest.mark.parametrize(
    ("facts", "times", "change"),
    [
        (replace(held(0.9), object_text=True), {SYNC: 0.4}, "dtype=str"),
        (replace(held(0.1), cpu_over_wall=1.8), {SYNC: 0.4}, "OMP_NUM_THREADS"),
        (replace(held(0.1), cpu_over_wall=1.8), {SYNC: 0.4, CLUSTER: 0.2}, "do as well as a cluster"),
        (held(0.9), {SYNC: 0.4, PROCESSES: 0.2}, "free-threaded"),
        (replace(held(0.9), tasks=4000, seconds=0.4), {SYNC: 0.4}, "bigger tasks"),
        (replace(held(0.9), result_bytes=1e7), {SYNC: 0.4}, "smaller results"),
    ],
)
def test_what_would_change_the_answer(facts: Facts, times: dict[Contender, float], change: str) -> None:
    assert any(change in line for line in wording.changes(given(times, facts)))


def test_without_a_gil_it_is_not_blamed() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1}, replace(FACTS, held=None, gil="disabled"))
    assert "runs without a GIL" in wording.reasons(found)[0]
    assert not any("free-threaded" in line for line in wording.changes(found))


def test_an_unknown_gil_is_no_guess() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1}, replace(FACTS, held=None, gil="calibration failed"))
    assert wording.reasons(found)[0] == "GIL unknown: calibration failed"


def test_data_is_json_and_complete() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1, PROCESSES: 0.2})
    data = json.loads(json.dumps(wording.as_data(found)))
    assert data["advice"] == {"scheduler": "threads", "workers": 1, "threads": 4, "chunk": 1}
    assert data["verdict"] == "best"
    assert {contender["scheduler"] for contender in data["contenders"]} == {"sync", "threads", "processes"}
    assert data["speedup"]["low"] < data["speedup"]["value"] < data["speedup"]["high"]
    assert all(math.isfinite(contender["seconds"]) for contender in data["contenders"])
