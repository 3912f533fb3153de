"""Observations that other programs disturbed: which they are, when they are set aside, and what is said of it.

A busy neighbor does not widen the intervals, because it lasts: it slows what runs on all CPUs and spares what runs on one. So
it can turn a winner around with full confidence. What was disturbed is therefore set aside where enough is left without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gilbench.results.records import Observation

# CPUs that other programs and other virtual machines may take, on average over an observation. A quiet machine stays below
# 0.1; one other busy process takes 0.4 to 1.0. Measured on two CPUs: docs/measuring.md.
ALLOWED: Final = 0.25
ENOUGH: Final = 2  # undisturbed processes of a case from which on the disturbed ones are set aside
LOUD: Final = 0.1  # share of disturbed observations from which on the whole result carries a warning


def taken(observation: Observation) -> float:
    """Return the CPUs that others took during an observation; 0 where that is not known."""
    others = float(observation.metadata.get("others_cpus", 0.0))
    return others + float(observation.metadata.get("stolen_cpus", 0.0))


def is_disturbed(observation: Observation) -> bool:
    """Return whether others took too much for the observation to be compared with undisturbed ones."""
    return taken(observation) > ALLOWED


def undisturbed(runs: Sequence[Observation]) -> list[Observation]:
    """Return the observations that others left alone."""
    return [run for run in runs if not is_disturbed(run)]


def kept(runs: Sequence[Observation]) -> list[Observation]:
    """Return the observations of one case that count: the undisturbed ones if they are enough, otherwise all of them."""
    quiet = undisturbed(runs)
    return quiet if len(quiet) >= ENOUGH else list(runs)


def warnings(observations: Sequence[Observation]) -> Iterator[str]:
    """Yield a warning if the machine was busy for a noticeable part of a run."""
    disturbed = [observation for observation in observations if is_disturbed(observation)]
    if observations and len(disturbed) >= max(1.0, LOUD * len(observations)):
        most = max(map(taken, disturbed))
        yield (
            f"the machine was busy: other programs took up to {most:.1f} CPUs during {len(disturbed)} of "
            f"{len(observations)} observations. These are set aside where enough are left; cases without enough name no winner"
        )
