"""Runs in a child process of an arm: lists the benchmarks of one kind, or takes turns on some of them.

    python -P -m gilbench.checks.driven.driver TASK.json

Answers are JSON lines. Whatever benchmarks print goes elsewhere (see gilbench.process.talk).
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gilbench.checks.driven.profiling import Profiles
from gilbench.checks.driven.turn_taking import Task, Turns, failure_of, without_tree
from gilbench.process import layout
from gilbench.process.talk import apart, listen


def main(task_path: str) -> None:
    """Do what the task says; return when it is done, or when the parent is gone."""
    task = Task.from_json(json.loads(Path(task_path).read_text(encoding="utf-8")))
    answers = apart()
    granted = listen()
    kept = layout.pile(task.seed)
    home = os.getpid()

    def say(**answer: Any) -> None:
        if os.getpid() == home:  # a benchmark may fork, and its child may come back here
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

    try:
        os.chdir(task.tree)
        kind = importlib.import_module(f"gilbench.checks.discover.{task.kind}")
        if task.order is None:
            listing = kind.listed(task)
            say(
                benchmarks=[dataclasses.asdict(benchmark) for benchmark in listing.benchmarks],
                failures={
                    file: without_tree(failure, task.tree).as_json() for file, failure in listing.failures.items()
                },
                not_compared=list(listing.not_compared),
                software=software(),
            )
        else:
            kind.drive(task, (Profiles if task.profile else Turns)(task, say, granted))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a project raises is a result: it is reported by name
        say(failure=without_tree(failure_of(error), task.tree).as_json())
    del kept


def software() -> dict[str, str]:
    """Return the versions of Python and of every installed package."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(name.lower().replace("_", "-"), distribution.version)
    return found


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names it and not __main__.
    from gilbench.checks.driven import driver

    driver.main(*sys.argv[1:])
    os._exit(0)  # threads that benchmarks left may never end
