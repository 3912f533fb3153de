"""What explains a timing: one file per probe, and the folder is the registry. A probe never runs together with a timing.

A probed process has one case open, as a worker has, and speaks JSON lines (see bench/gilbench/measure/probed.py). Each
module here whose name ends in `_probe` defines

    ASKS                    the questions, by name, that the probed process must answer: name -> function(Scene, **what)
    SCHEDULERS              names of the schedulers under which it says something; None for all
    PINNED                  whether inner threads are pinned to one meanwhile, as in a timing
    OF_WORKLOADS            False where it says something about the schedulers themselves, whatever the workload
    measure(probed)         in the parent: asks, and returns what was found, as plain data
    format(found)           the lines that a person reads, given scheduler -> what was found under it

`measure` raises Unavailable, with the reason, where the probe cannot be had: it never guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from gilbench.errors import Unavailable as Unavailable

if TYPE_CHECKING:
    from gilbench.cases.case import Case
    from gilbench.schedulers import Opened, Setup
    from gilbench.targets.workload import Job, Workload

Found = dict[str, Any]
Ask = Callable[..., Found]


@dataclass(frozen=True)
class Scene:
    """What the probed process has at hand.

    compute: computes the whole job once and returns its results. seconds: of the compute before the last.
    """

    case: Case
    workload: Workload
    job: Job
    setup: Setup
    opened: Opened
    compute: Callable[[], list[Any]]
    seconds: float

    def settle(self) -> None:
        """Wait until nothing of the compute before is left (see gilbench.schedulers.Opened)."""
        if self.opened.settle:
            self.opened.settle()


class Probed(Protocol):
    """A live process with a case open, in the parent's hands. Tests script it."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def case(self) -> Case:
        """What it has open."""

    def tell(self, question: str, **what: Any) -> None:
        """Ask without waiting for the answer."""

    def answer(self) -> Found:
        """Wait for the answer to the question before. Raises Unavailable where the probed process failed."""

    def ask(self, question: str, **what: Any) -> Found:
        """Tell, and wait for the answer."""


@dataclass(frozen=True)
class Probe:
    """One module of this folder, as an object."""

    name: str
    summary: str
    asks: Mapping[str, Ask]
    schedulers: Sequence[str] | None
    pinned: bool
    of_workloads: bool
    measure: Callable[[Probed], Found]
    format: Callable[[Mapping[str, Mapping[str, Any]]], Iterator[str]]

    def suits(self, case: Case) -> bool:
        """Whether it says something about a case."""
        return self.pinned == case.pinned and (self.schedulers is None or case.scheduler in self.schedulers)


@cache
def all_probes() -> dict[str, Probe]:
    """Return name -> Probe for every module of this folder, in the order of names."""
    from gilbench import probes
    from gilbench.plugins import modules_in

    found = {}
    for module in modules_in(probes, only="_probe"):
        name = module.__name__.rpartition(".")[2].removesuffix("_probe")
        summary = (module.__doc__ or "").partition("\n")[0].partition(": ")[2].rstrip(".")
        found[name] = Probe(
            name=name,
            summary=summary,
            asks=module.ASKS,
            schedulers=module.SCHEDULERS,
            pinned=module.PINNED,
            of_workloads=module.OF_WORKLOADS,
            measure=module.measure,
            format=module.format,
        )
    return found
