"""Real worker processes: an order goes in, an observation comes out, and nothing is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gilbench.cases.order import Order
from gilbench.errors import Failure
from gilbench.process import child, lifeline
from gilbench.process.talk import last_line
from gilbench.results.records import Observation

OVERTIME = 10.0  # seconds for which the last observation may continue when the time of the whole run is up


class OutOfTimeError(Exception):
    """The time of the whole run ended during an observation, which says nothing about the case."""


class Workers:
    """Starts a real worker process for each order that it is called with.

    A context manager, which removes what the workers left on disk. timeout: seconds of one observation. environment:
    variables on top of the user's own. python: the interpreter that they run on.
    """

    def __init__(
        self, timeout: float, environment: Mapping[str, str] | None = None, python: str = sys.executable
    ) -> None:
        self.timeout = timeout
        self.python = python
        self.environment = environment
        self._scratch = tempfile.TemporaryDirectory(prefix="gilbench-", ignore_cleanup_errors=True)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.cleanup()

    def __call__(self, order: Order) -> Observation:
        """Measure one order in a fresh process group, and leave nothing of it behind. Raises OutOfTimeError."""
        folder = Path(self._scratch.name)
        order_file, outcome_file, printed = folder / "order.json", folder / "outcome.json", folder / "printed.txt"
        outcome_file.unlink(missing_ok=True)
        order_file.write_text(json.dumps(order.as_json()))
        case = order.case
        environment = child.environment(
            order.seed, pinned=case.pinned, level=case.level, given=self.environment, temporary=folder
        )
        command = [self.python, "-P", "-m", "gilbench.measure.worker", str(order_file), str(outcome_file)]
        began = time.perf_counter()
        with printed.open("wb") as errors:
            worker = lifeline.start(command, environment, errors.fileno())
            try:
                worker.wait(min(self.timeout, order.seconds_left + OVERTIME))
                how = lifeline.signal_name(worker.returncode)
                failure = Failure("killed", f"{how}: {last_line(printed)}")
            except subprocess.TimeoutExpired:
                if order.seconds_left + OVERTIME < self.timeout:
                    raise OutOfTimeError from None
                failure = Failure("timeout", f"no answer within {self.timeout:g} s: see --timeout")
            finally:
                lifeline.end(worker)
        seconds = time.perf_counter() - began
        outcome = json.loads(outcome_file.read_text()) if outcome_file.exists() else {"failure": failure.as_json()}
        return observation_of(order, outcome, seconds)


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
