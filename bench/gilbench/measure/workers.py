"""Real worker processes: an order goes in, an observation comes out, and nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import Any

from gilbench.cases.order import Order
from gilbench.errors import Failure
from gilbench.process import child, lifeline, prepared
from gilbench.process.prepared import Forked, Prepared, Unprepared
from gilbench.process.talk import last_line
from gilbench.results.records import Observation
from gilbench.targets.builtin import all_workloads

OVERTIME = 10.0  # seconds for which the last observation may continue when the time of the whole run is up


class OutOfTimeError(Exception):
    """The time of the whole run ended during an observation, which says nothing about the case."""


class Workers:
    """Starts a real worker process for each order that it is called with.

    A context manager, which removes what the workers left on disk. timeout: seconds of one observation. environment:
    variables on top of the user's own. python: the interpreter that they run on. forks: whether the workers of a round are
    forked from prepared processes where that is possible (see gilbench.process.prepared); otherwise each is a fresh one.
    """

    def __init__(
        self,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        *,
        forks: bool = prepared.POSSIBLE,
    ) -> None:
        self.timeout = timeout
        self.python = python
        self.environment = environment
        self.forks = forks
        self._round = -1
        self._prepared: dict[tuple[Any, ...], Prepared | None] = {}
        self._scratch = tempfile.TemporaryDirectory(prefix="gilbench-", ignore_cleanup_errors=True)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()
        self._scratch.cleanup()

    def __call__(self, order: Order) -> Observation:
        """Measure one order in a fresh process group, and leave nothing of it behind. Raises OutOfTimeError."""
        folder = Path(self._scratch.name)
        outcome_file, printed = folder / "outcome.json", folder / "printed.txt"
        outcome_file.unlink(missing_ok=True)
        began = time.perf_counter()
        worker = self._start(order, outcome_file, printed)
        try:
            how = lifeline.signal_name(worker.wait(min(self.timeout, order.seconds_left + OVERTIME)))
            failure = Failure("killed", f"{how}: {last_line(printed)}")
        except subprocess.TimeoutExpired:
            if order.seconds_left + OVERTIME < self.timeout:
                raise OutOfTimeError from None
            failure = Failure("timeout", f"no answer within {self.timeout:g} s: see --timeout")
        finally:
            lifeline.end(worker)
            if isinstance(worker, Forked):
                worker.forget()
        seconds = time.perf_counter() - began
        outcome = json.loads(outcome_file.read_text()) if outcome_file.exists() else {"failure": failure.as_json()}
        return observation_of(order, outcome, seconds)

    def _start(self, order: Order, outcome_file: Path, printed: Path) -> Popen[bytes] | Forked:
        """Fork a worker from a prepared process, or start a fresh one."""
        order_file = outcome_file.with_name("order.json")
        paths = [str(order_file), str(outcome_file)]
        # Peak memory is that of a fresh process: what is forked shares pages with the process it comes from.
        if self.forks and order.case.measure == "time" and (ready := self._prepared_for(order)):
            order_file.write_text(json.dumps(replace(order, forked=True).as_json()))
            try:
                return ready.fork(paths, printed)
            except Unprepared:
                self._forget()  # it was killed: the next observation prepares another one
        order_file.write_text(json.dumps(order.as_json()))
        command = [self.python, "-P", "-m", "gilbench.measure.worker", *paths]
        with printed.open("wb") as errors:
            return lifeline.start(command, self._variables(order, order.seed), errors.fileno())

    def _prepared_for(self, order: Order) -> Prepared | None:
        """Return the process of this round that has imported what the order needs; None where it cannot be prepared."""
        if order.round != self._round:
            self._forget()
            self._round = order.round
        case = order.case
        builtin = all_workloads().get(case.workload)  # a user's own file is imported in the worker only
        modules = builtin.modules if builtin else ()
        key = (modules, case.pinned, case.level)
        if key not in self._prepared:
            command = [self.python, "-P", "-m", "gilbench.measure.forked_worker", str(order.round_seed), *modules]
            with Path(os.devnull).open("wb") as nothing:
                try:
                    variables = self._variables(order, order.round_seed)
                    self._prepared[key] = Prepared(command, variables, nothing.fileno(), self.timeout)
                except (Unprepared, TimeoutError):
                    self._prepared[key] = None
        return self._prepared[key]

    def _variables(self, order: Order, seed: int) -> dict[str, str]:
        return child.environment(
            seed,
            pinned=order.case.pinned,
            level=order.case.level,
            given=self.environment,
            temporary=Path(self._scratch.name),
        )

    def _forget(self) -> None:
        """End the prepared processes."""
        for ready in self._prepared.values():
            if ready:
                ready.end()
        self._prepared.clear()


def observation_of(order: Order, outcome: Mapping[str, Any], seconds: float) -> Observation:
    """Join what was ordered with what a worker wrote."""
    return Observation(
        case=order.case,
        round=order.round,
        seed=order.seed,
        call=order.call,
        seconds=seconds,
        values=tuple(outcome.get("values", ())),
        warmups=tuple((loops, value) for loops, value in outcome.get("warmups", ())),
        metadata=outcome.get("metadata", {}),
        failure=Failure.from_json(outcome["failure"]) if "failure" in outcome else None,
    )
