"""A scheduler is one file: that of docs/extending.md is raced and advised, drawn and probed without another change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.test_docs import examples, project

FILE = "bench/gilbench/schedulers/forkserver.py"
SCRIPT = '''
import json
from contextlib import contextmanager

from gilbench.advice import wording
from gilbench.advice.choice import advised
from gilbench.advice.contest import warm_race
from gilbench.advice.entry import ruled_out
from gilbench.advice.racing import Contender
from gilbench.advice.starting import TimeLeft
from gilbench.advice.target_facts import Facts
from gilbench.cases.case import Case
from gilbench.charts.drawing import style
from gilbench.explain import series
from gilbench.measure.prober import usual_schedulers
from gilbench.probes import all_probes
from gilbench.stats import Estimate


class Scripted:
    """Starts nothing; the new scheduler takes a quarter of the time of the others."""

    @contextmanager
    def started(self, contenders):
        yield dict.fromkeys(contenders, self)

    def turn(self, contender, patience):
        return 0.25 if contender.scheduler == "forkserver" else 1.0


facts = Facts(40, 0.025, 0.025, 1.0, 1.0, 1.0, 100.0, held=Estimate(0.9, 0.89, 0.91, 1000))
heats, status = warm_race(Scripted(), facts, lambda line: None, TimeLeft(0.0, lambda: 1.0), cpus=4, seed=1)
advice = advised("mine.py:f", facts, heats, status, once=False, cpus=4)
many = Facts(10**6, 1e-6, 1e-6, 1.0, 1.0, 1.0, 100.0)
case = Case("w", "tiny", "forkserver", 4)
look = style.style_of("forkserver")
print(json.dumps({
    "raced": [contender.scheduler for contender in heats[0].times],
    "page": wording.page(advice),
    "ruled out": ruled_out(Contender("forkserver", 4), many, 1.0, cpus=4),
    "marker": look.marker,
    "order": style.series_order(["loky", "forkserver", "processes"]),
    "series": [series.name_of(case), series.kind_of(case)],
    "probed": usual_schedulers(),
    "traffic": all_probes()["traffic"].suits(case),
}))
'''


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of this project with one more file says of the new scheduler."""
    folder: Path = project(tmp_path_factory.mktemp("one_more"), {FILE: examples()[FILE]})
    environment = {**os.environ, "PYTHONPATH": str(folder / "bench")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_it_races_and_is_advised_in_its_own_words_and_code(found: dict[str, Any]) -> None:
    assert "forkserver" in found["raced"]
    assert "mine.py:f: forkserver: 4 forked processes of one thread each" in found["page"]
    assert 'multiprocessing.get_context("forkserver")' in found["page"]
    assert "if __name__" in found["page"]


def test_its_costs_rule_it_out(found: dict[str, Any]) -> None:
    assert found["ruled out"] == "would take 100 s at the very least, another takes 1.00 s"


def test_charts_draw_it_as_its_file_says(found: dict[str, Any]) -> None:
    assert found["marker"] == "p"
    assert found["order"] == ["processes", "forkserver", "loky"]
    assert found["series"] == ["forkserver", "processes"]


def test_it_is_probed_without_being_named(found: dict[str, Any]) -> None:
    assert found["probed"] == ["sync", "threads", "processes", "forkserver", "distributed"]
    assert found["traffic"] is True
