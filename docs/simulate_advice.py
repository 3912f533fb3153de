"""Simulate `gilbench advise`: the real race, with invented targets and noise.

    python docs/simulate_advice.py [--targets 400] [--cpus 2] [--seed 1]

Each target is drawn at random: how long its tasks are, for how much of that they hold the GIL or wait, what they return, how
many items there are. The true time of a contender follows from that, from what each task costs under its scheduler, and from a
part that no model predicts. The race sees it through the noise of each turn and of each process. Regret is the true time of the
advised contender over that of the best among all that docs/measure_advice.py measures, minus 1. Seeded; takes half a minute.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from measure_advice import configurations, share

from gilbench.advice.choice import choose
from gilbench.advice.contest import warm_race
from gilbench.advice.entry import processes
from gilbench.advice.racing import Contender
from gilbench.advice.starting import TimeLeft
from gilbench.advice.target_facts import Facts, of_items
from gilbench.advice.thresholds import NOISE
from gilbench.process.talk import Broken
from gilbench.schedulers import all_advisable, all_schedulers
from gilbench.stats import Estimate

PER_TASK: Final = {"sync": 60e-6, "threads": 100e-6, "processes": 1e-3, "loky": 1e-3, "distributed": 1.5e-3}  # seconds
PER_COMPUTE: Final = {
    "sync": 0.3e-3,
    "threads": 0.5e-3,
    "processes": 2e-3,
    "loky": 2e-3,
    "distributed": 8e-3,
}  # seconds
PIPE: Final = 0.5e9  # bytes a second
UNPREDICTED: Final = 0.06  # log of what the model leaves out, always a loss: half-normal, for each scheduler,
ITS_OWN: Final = 0.02  # and for each shape and chunk under it
PROBING: Final = 4.0  # seconds before the race
OPENING: Final = 1.0  # seconds for each set of processes, and for each process of it:
PROCESS: Final = 0.4
NOISES: Final = (0.01, 0.03, 0.05, 0.1)  # standard deviation of the log of one turn


class Target:
    """An invented target: what the probes say of it, and the true times of contenders."""

    def __init__(self, facts: Facts, cpus: int, chance: random.Random) -> None:
        self.facts, self.cpus, self.chance = facts, cpus, chance
        self._truth: dict[Contender, float] = {}
        self._unpredicted = {name: abs(chance.gauss(0, UNPREDICTED)) for name in all_advisable() if name != "sync"}
        self.best = min(map(self.seconds, dict.fromkeys(configurations(facts, cpus))))

    def seconds(self, contender: Contender) -> float:
        """Return the true seconds of one compute."""
        if contender not in self._truth:
            unpredicted = self._unpredicted.get(contender.scheduler, 0.0) + abs(self.chance.gauss(0, ITS_OWN))
            self._truth[contender] = predicted(contender, self.facts, self.cpus) * math.exp(unpredicted)
        return self._truth[contender]


def drawn(chance: random.Random, cpus: int) -> Target:
    """Return a random target."""
    task = 10 ** chance.uniform(-4.3, -0.5)
    busy = chance.choice((1.0, 1.0, 1.0, chance.uniform(0.05, 0.75)))
    held = busy * chance.choice((0.02, chance.random(), 0.98))
    few = 4 * cpus
    facts = Facts(
        tasks=few,
        task_seconds=task,
        longest_seconds=task * chance.uniform(1, 1.3),
        seconds=task * few,
        compute_seconds=task * few,
        cpu_over_wall=busy,
        result_bytes=10 ** chance.choice((1, 1, 1, 3, 5, 6.5)),
        held=Estimate(held, held - 0.02, held + 0.02, 1000),
    )
    return Target(of_items(facts, max(few, min(4000, round(chance.uniform(0.2, 2) / task)))), cpus, chance)


def predicted(contender: Contender, facts: Facts, cpus: int) -> float:
    """Return the seconds of one compute, as far as they can be predicted."""
    tasks = contender.tasks(facts.tasks)
    rounds = math.ceil(tasks / contender.parallelism) * facts.seconds / tasks
    whole = math.ceil(facts.tasks / contender.parallelism) * facts.seconds / facts.tasks  # nobody computes half an item
    held = facts.held.value if facts.held else 0.0
    work = max(rounds, whole, facts.seconds * facts.busy / cpus, facts.seconds * held / contender.workers)
    crossing = facts.tasks * facts.result_bytes / PIPE if all_schedulers()[contender.scheduler].crosses else 0.0
    return work + crossing + PER_COMPUTE[contender.scheduler] + tasks * PER_TASK[contender.scheduler]


class Invented:
    """Starts invented processes, each with a layout of its own, and keeps an invented clock."""

    def __init__(self, target: Target, noise: float, chance: random.Random) -> None:
        self.target, self.noise, self.chance, self.now = target, noise, chance, PROBING

    def clock(self) -> float:
        """Return the moment, in seconds."""
        return self.now

    @contextmanager
    def started(self, contenders: Sequence[Contender]) -> Iterator[dict[Contender, Racing]]:
        """Start a set of processes."""
        shapes = {contender.process for contender in contenders}
        self.now += OPENING + PROCESS * processes(contenders)
        layouts = {shape: self.chance.lognormvariate(0, NOISE.layout) for shape in sorted(shapes)}
        yield {contender: Racing(self, layouts[contender.process]) for contender in contenders}


@dataclass(frozen=True)
class Racing:
    """An invented process. layout: the factor by which everything takes longer in it."""

    invented: Invented
    layout: float

    def turn(self, contender: Contender, patience: float) -> float:
        """Return the seconds of one compute, and let them pass. Raises Broken where that is longer than `patience`."""
        invented = self.invented
        taken = invented.target.seconds(contender) * self.layout * invented.chance.lognormvariate(0, invented.noise)
        invented.now += min(taken, patience)
        if taken > patience:
            raise Broken("timeout", "too slow")
        return taken


def advised(target: Target, noise: float, cpus: int, chance: random.Random) -> tuple[float, str, float]:
    """Return the regret of the advice, the verdict, and the seconds that finding out took."""
    invented = Invented(target, noise, chance)
    left = TimeLeft(0.0, invented.clock)
    heats, _ = warm_race(invented, target.facts, lambda line: None, left, cpus, chance.randrange(2**32))
    choice = choose(heats)
    return max(0.0, target.seconds(choice.chosen) / target.best - 1), choice.verdict, invented.now


def simulated(noise: float, targets: int, cpus: int, seed: int) -> list[tuple[float, str, float]]:
    """Return what `advised` returns, for `targets` random targets."""
    chance = random.Random(seed)
    return [advised(drawn(chance, cpus), noise, cpus, chance) for _ in range(targets)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=400)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| noise of a turn | regret <= 5 % | <= 10 % | worst | mean | cannot tell | median time | longest |")
    print("|---|---|---|---|---|---|---|---|")
    for noise in NOISES:
        found = simulated(noise, options.targets, options.cpus, options.seed)
        regrets, times = [regret for regret, _, _ in found], [time for _, _, time in found]
        unsure = sum(verdict == "cannot tell" for _, verdict, _ in found) / len(found)
        print(
            f"| {noise:.0%} | {share(regrets, 0.05)} | {share(regrets, 0.1)} | {max(regrets):.0%} "
            f"| {statistics.fmean(regrets):.1%} | {unsure:.0%} | {statistics.median(times):.0f} s | {max(times):.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
