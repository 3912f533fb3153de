"""What explains a timing: one file per probe, and the folder is the registry. A probe never runs together with a timing.

A probed process has one case open, as a worker has, and answers questions (see gilbench.measure.probed). A question
is a function that runs there: it takes the Scene, and further arguments by name, and returns plain data. Each module here
whose name ends in `_probe` defines its questions, and

    SCHEDULERS              names of the schedulers under which it has something to say; None for all
    PINNED                  whether inner threads are pinned to one meanwhile, as in a timing
    OF_WORKLOADS            False where it examines the schedulers themselves, whatever the workload
    examine(probed)         in the parent: asks its questions, and returns what was found, as plain data
    format(found)           the lines that a person reads, given scheduler -> what was found under it

`examine` raises Unavailable, with the reason, where something cannot be measured: it never guesses.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Concatenate, Protocol, TypeAlias

from gilbench.errors import Unavailable as Unavailable

if TYPE_CHECKING:
    from gilbench.cases.case import Case
    from gilbench.schedulers import Opened, Setup
    from gilbench.targets.workload import Job, Workload

PACKAGE = "gilbench"
Found = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What a question gets in the probed process.

    compute: computes the whole job once and returns its results. seconds: of one compute, a warm one unless it is long.
    """

    case: Case
    workload: Workload
    job: Job
    setup: Setup
    opened: Opened
    compute: Callable[[], list[Any]]
    seconds: float

    def settle(self) -> None:
        """Wait until nothing of the previous compute is left (see gilbench.schedulers.Opened)."""
        if self.opened.settle:
            self.opened.settle()


# A function of a module of gilbench. Its arguments after the scene are passed by name, and are plain data.
Question: TypeAlias = Callable[Concatenate[Scene, ...], Found]


def reference(question: Question) -> str:
    """Return what a question is called on its way to the probed process: `module:qualname`. Undone by `resolve`."""
    return f"{question.__module__}:{question.__qualname__}"


def resolve(text: str) -> Question:
    """Return the question that a reference names. Raises ValueError unless it is a function of gilbench."""
    module, _, qualname = text.partition(":")
    try:
        if module.partition(".")[0] != PACKAGE:
            raise ImportError(f"not in {PACKAGE}")
        found = operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{text!r} is not a question: {error}") from None
    if not callable(found) or getattr(found, "__module__", None) != module:
        raise ValueError(f"{text!r} is not a question: it is not a function of {module}")
    question: Question = found
    return question


class Probed(Protocol):
    """A live process with a case open, as its parent sees it. Tests script it."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def case(self) -> Case:
        """What it has open."""

    def pose(self, question: Question, **what: Any) -> None:
        """Ask without waiting for the answer. what: the arguments of the question."""

    def answer(self) -> Found:
        """Wait for the answer to the question that was posed. Raises Unavailable where there is none."""

    def ask(self, question: Question, **what: Any) -> Found:
        """Pose a question, and wait for the answer."""


@dataclass(frozen=True)
class Probe:
    """One module of this folder, as an object."""

    name: str
    summary: str
    schedulers: Sequence[str] | None
    pinned: bool
    of_workloads: bool
    examine: Callable[[Probed], Found]
    format: Callable[[Mapping[str, Mapping[str, Any]]], Iterator[str]]

    def suits(self, case: Case) -> bool:
        """Return whether it has something to say about a case."""
        return self.pinned == case.pinned and (self.schedulers is None or case.scheduler in self.schedulers)


@cache
def all_probes() -> dict[str, Probe]:
    """Return name -> Probe for every module of this folder, in the order of names."""
    from gilbench import probes
    from gilbench.files import modules_in

    found = {}
    for module in modules_in(probes, only="_probe"):
        name = module.__name__.rpartition(".")[2].removesuffix("_probe")
        summary = (module.__doc__ or "").partition("\n")[0].partition(": ")[2].rstrip(".")
        found[name] = Probe(
            name=name,
            summary=summary,
            schedulers=module.SCHEDULERS,
            pinned=module.PINNED,
            of_workloads=module.OF_WORKLOADS,
            examine=module.examine,
            format=module.format,
        )
    return found
