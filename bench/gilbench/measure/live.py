"""A live probed process, as its parent sees it: it has one case open, and answers the questions of probes and of races."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.cases.plan import drawn_seed
from gilbench.errors import Unavailable
from gilbench.probes import Found, Question, reference
from gilbench.process import child
from gilbench.process.talk import Broken, Talk

Start = Callable[[Case], "LiveProbed"]


class LiveProbed:
    """A real probed process.

    timeout: seconds for each answer. environment: variables on top of the user's own. python: the interpreter that it runs on.
    """

    def __init__(
        self,
        case: Case,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        seed = drawn_seed()
        variables = child.environment(seed, pinned=case.pinned, level=case.level, given=environment)
        order = Order(case, 0, seed, "function", budget=0.0)
        self._case = case
        self._talk = Talk([python, "-P", "-m", "gilbench.measure.probed"], order.as_json(), variables, timeout)
        self._ended = False

    def __enter__(self) -> LiveProbed:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        """End it and all that it started. A second time does nothing."""
        if not self._ended:
            self._ended = True
            self._talk.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._talk.process.pid

    @property
    def case(self) -> Case:
        """What it has open."""
        return self._case

    @cached_property
    def _opening(self) -> Mapping[str, Any] | Broken:
        try:
            return self._talk.hear()
        except Broken as broken:
            return broken

    def wait(self) -> None:
        """Wait until its scheduler is open or has failed to open; `ready` raises then."""
        self._opening  # noqa: B018 - it is heard once, and kept

    def ready(self) -> Mapping[str, Any]:
        """Let it build and check the job; return what it reports about that and about opening. Raises Broken."""
        if isinstance(self._opening, Broken):
            raise self._opening
        self._talk.say("")
        return self._talk.hear()

    def within(self, seconds: float) -> None:
        """Change how long each answer may take."""
        self._talk.timeout = seconds

    def pose(self, question: Question, **what: Any) -> None:
        """Ask without waiting for the answer."""
        self._talk.say(json.dumps({"question": reference(question), "what": what}))

    def answer(self) -> Found:
        """Wait for the answer to the question that was posed. Raises Unavailable, or Broken."""
        answer = dict(self._talk.hear())
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return answer

    def ask(self, question: Question, **what: Any) -> Found:
        """Pose a question, and wait for the answer. Raises as `answer` does."""
        self.pose(question, **what)
        return self.answer()
