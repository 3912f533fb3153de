"""One call of `gilbench advise`: probe the target, rule out what the probes rule out, and let the rest race."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, Protocol

from gilbench.advise import advice as words
from gilbench.advise.advice import Advice, Facts
from gilbench.advise.questions import call_items, take_turn
from gilbench.advise.racing import AT_ONCE, FEWEST, HOPELESS, SAME, Contender, Heat, Racer, heat
from gilbench.cases.case import Case
from gilbench.console import Say, printable, sayer
from gilbench.errors import UserError, check_names
from gilbench.files import finite
from gilbench.machine import usable_cpus
from gilbench.measure.live import LiveProbed
from gilbench.probes import Question, Unavailable
from gilbench.probes import gil_probe as gil
from gilbench.probes import tasks_probe as tasks
from gilbench.process.talk import Broken
from gilbench.schedulers import all_schedulers
from gilbench.stats import Estimate
from gilbench.targets.calls import ITEMS, PARTS, TAKE, Calls
from gilbench.targets.naming import graph, is_own, workload_of
from gilbench.targets.workload import SIZES, Workload

BUDGET = 25.0  # seconds in which to find out: what would not end by then is not begun
SLOW, BUDGET_SLOW = (
    0.1,
    40.0,
)  # seconds of a task from which on each turn takes longer, and the seconds that there are then
LOOK = 4  # items for each CPU that the probes look at
RACE = 0.4  # seconds of work in one compute of the race, where items can be left out
MORE, LONGEST = 2.0, 1.6  # times that, and seconds of it, at most where tasks wait and many can be under way
HEAT = 2.0  # seconds of racing in one set of processes
HEATS = 3  # sets of fresh processes, at most, for what is too close to call
GAIN = 0.1  # what they have to promise
FIRST = ("sync", "threads", "processes")
LATER = ("loky", "distributed")  # slow to start: only where the first heat leaves room for them
# Where tasks have threads of their own: those of several processes get in each other's way, and a cluster pins them.
FIRST_THREADED, LATER_THREADED = ("sync", "threads", "distributed"), ("processes", "loky")
OPENING = 8.0  # seconds beyond what one process alone needs, for such ones to compute once: they may take 18 s for half a second
SPIN = 0.1  # seconds after a turn in which the inner threads of its tasks may keep CPUs busy, waiting for more to do
LOST = 2.0  # a ratio to the leader at which processes have lost so clearly that other processes need not start


class Opens(Protocol):
    """Opens contenders' processes. Simulations script it (docs/simulate_advice.py)."""

    def opened(self, contenders: Sequence[Contender]) -> AbstractContextManager[Mapping[Contender, Racer]]:
        """Start a process for every scheduler and shape; yield those that opened, by contender."""


class LiveRacer:
    """A real process of a stable that takes turns."""

    def __init__(self, one: Contender, stable: Stable) -> None:
        self.probed = stable.alone(one)
        self.stable, self.late = stable, False

    def turn(self, contender: Contender, patience: float) -> float:
        """Return the seconds of one compute. Raises Broken where it fails or takes longer than `patience`."""
        self.probed.within(min(patience, self.stable.timeout))
        try:
            if self.late:
                raise Broken("timeout", "its process was ended")
            seconds = float(self.probed.ask(take_turn, parts=self.stable.parts(contender))["seconds"])
        except Broken as broken:
            self.late = broken.kind == "timeout"
            raise
        except Unavailable as reason:
            raise Broken("raised", str(reason)) from reason
        time.sleep(self.stable.pause)
        return seconds


@dataclass
class Stable:
    """Opens contenders' processes, several at once, and ends them all. failed: contender -> why it cannot run.

    given: the environment that names the user's items. taken: how many of them are raced; None where there are none.
    pause: seconds of rest after a turn, so that the next one to take its turn has the CPUs to itself. started: seconds that
    one process alone takes to start, to import the target and to compute once. opening: those that others may take.
    """

    target: Workload
    size: str
    timeout: float
    given: Mapping[str, str]
    pinned: bool = True
    taken: int | None = None
    pause: float = 0.0
    started: float = 0.0
    opening: float = math.inf
    failed: dict[Contender, str] = field(default_factory=dict)

    def learn(self, facts: Facts) -> None:
        """Take from the facts how many items are raced, and whether inner threads get in each other's way."""
        self.taken = facts.taken
        if facts.threaded:
            self.pause, self.opening = SPIN, OPENING + AT_ONCE * self.started

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what the processes are told."""
        return self.given if self.taken is None else {**self.given, TAKE: str(self.taken)}

    def case(self, one: Contender) -> Case:
        """Return the case of a contender; the number of its tasks is told with each turn."""
        return Case(self.target.name, self.size, one.scheduler, one.workers, one.threads, self.pinned)

    def parts(self, one: Contender) -> int | None:
        """Return the number of a contender's tasks, None for one for each item."""
        return one.tasks(self.taken) if self.taken is not None and one.chunk > 1 else None

    @contextmanager
    def opened(self, contenders: Sequence[Contender]) -> Iterator[dict[Contender, LiveRacer]]:
        """Start a process for every scheduler and shape at once; yield those that opened, by contender."""
        with ExitStack() as stack:
            racers: dict[Case, LiveRacer] = {}
            for one in contenders:
                case = self.case(one)
                if case not in racers:
                    # It computes before it races. Thousands of tasks would take longer than the race then.
                    fewest = max((other for other in contenders if self.case(other) == case), key=lambda c: c.chunk)
                    racers[case] = LiveRacer(fewest, self)
                    stack.enter_context(racers[case].probed)
            broken: dict[Case, str] = {}
            for case, racer in racers.items():
                try:
                    racer.probed.within(min(self.timeout, self.opening))
                    racer.probed.ready()
                except Broken as error:
                    broken[case] = error.reason
            self.failed |= {one: broken[self.case(one)] for one in contenders if self.case(one) in broken}
            yield {one: racers[self.case(one)] for one in contenders if one not in self.failed}

    def alone(self, one: Contender) -> LiveProbed:
        """Return a process for a contender alone: its compute has the contender's tasks."""
        parts = {PARTS: str(count)} if (count := self.parts(one)) else {}
        return LiveProbed(self.case(one), self.timeout, {**self.environment, **parts})

    def cold(self, one: Contender, more: float) -> float:
        """Return the seconds of opening and one compute, in a process of its own; `more` computes of the warm kind follow."""
        with self.alone(one) as probed:
            said = probed.ready()
        return float(said["open_seconds"]) + float(said["first_seconds"]) + more * float(said["seconds"])


class Room:
    """What can still be begun and end in time, going by what starting processes has taken so far.

    began: by the clock, when everything began.
    """

    def __init__(self, began: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.began, self.clock = began, clock
        self._each = 0.0  # seconds to start and end one process, at most

    def fits(self, seconds: float) -> bool:
        """Whether what takes so many seconds would end in time."""
        return self.clock() - self.began + seconds < BUDGET

    def for_another(self, contenders: Sequence[Contender], best: float, known: int = 0) -> bool:
        """Whether another race of these, in fresh processes, would end in time.

        best: seconds of the fastest compute so far. known: how many race with them whose processes there are already.
        """
        turns = FEWEST * (len(contenders) + known) * best
        return self.fits(self._each * processes(contenders) + max(HEAT, turns))

    @contextmanager
    def opened(self, opens: Opens, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        """Open contenders, and learn how long that takes."""
        start = self.clock()
        with opens.opened(contenders) as racers:
            spent = self.clock() - start
            self._each = max(self._each, spent / processes(contenders))
            yield racers
            start = self.clock()
        self._each = max(self._each, (spent + self.clock() - start) / processes(contenders))


def processes(contenders: Sequence[Contender]) -> int:
    """Return how many processes contenders start: one for each scheduler and shape, and the workers of those that have some."""
    shapes = {one.process for one in contenders}
    return len(shapes) + sum(workers for scheduler, workers, _ in shapes if scheduler in words.CROSSING)


@dataclass(frozen=True)
class AdviseOptions:
    """What `gilbench advise` is asked for; the names are those of its options.

    target: what to advise on. graph: it builds dask objects. once: starting the workers counts. timeout: seconds for each
    answer.
    """

    target: str
    items: str | None = None
    graph: bool = False
    size: str = "default"
    once: bool = False
    timeout: float = 60.0
    json: bool = False


def run(options: AdviseOptions, err: IO[str], out: IO[str]) -> int:
    """Find out and print the advice; return the exit code. Raises UserError for a mistake."""
    began = time.monotonic()
    check_names("size", [options.size], SIZES)
    environment = {} if options.items is None else {ITEMS: options.items}
    os.environ.update(environment)  # for our own look at the target
    target = workload_of(graph(options.target) if options.graph else options.target)
    say = sayer(err)
    pinned = target.pinned and not is_own(target.name)  # what is the user's own runs with whatever threads it starts
    stable = Stable(target, options.size, options.timeout, environment, pinned)
    facts = look(stable, say)
    stable.learn(facts)
    judge, room = cold_race if options.once else warm_race, Room(began)
    heats, status = judge(stable, facts, say, room, usable_cpus())
    if room.fits(0.0):
        facts = replace(facts, switches=switches(stable, facts, heats))
    advice = advised(options.target, facts, heats, {**status, **stable.failed}, options.once)
    advice = replace(advice, cost_seconds=time.monotonic() - began)
    if options.json:
        out.write(json.dumps(finite(words.as_data(advice)), indent=2) + "\n")
    else:
        out.write("".join(f"{printable(line)}\n" for line in words.page(advice).splitlines()))
        out.write(f"\nfound out in {advice.cost_seconds:.0f} s\n")
    return 0


# --- Probes


def look(stable: Stable, say: Say) -> Facts:
    """Probe the target in a process of its own: tasks and their results, inner threads, GIL. Raises UserError."""
    cpus, build = usable_cpus(), stable.target.build
    items = len(build.arguments) if isinstance(build, Calls) else None
    few = None if items is None else min(items, LOOK * cpus)
    environment = stable.environment if few is None else {**stable.environment, TAKE: str(few)}
    say(f"probing {stable.target.name}")
    case, start = Case(stable.target.name, stable.size, "sync", 1, 1, stable.pinned), time.monotonic()
    with LiveProbed(case, stable.timeout, environment) as probed:
        try:
            probed.ready()
            stable.started = time.monotonic() - start
            found = tasks.examine(probed)
            held, state = _gil(probed, gil.compute_for if items is None else call_items)
        except (Broken, Unavailable) as error:
            raise UserError(f"{stable.target.name!r} does not run one task after the other: {error}") from error
    facts = Facts(
        tasks=found["tasks"],
        task_seconds=found["median_seconds"],
        longest_seconds=found["longest_seconds"],
        seconds=found["seconds"],
        compute_seconds=found["compute_seconds"],
        cpu_over_wall=found["cpu_over_wall"],
        result_bytes=found["result_bytes"],
        object_text=found["object_text"],
        held=held,
        gil=state,
    )
    return facts if items is None else of_items(facts, items)


def of_items(facts: Facts, items: int) -> Facts:
    """Return what the facts of a few items tell of so many of them as race: as many for each CPU, if they are not all."""
    each = facts.seconds / facts.tasks
    wanted = max(2 * facts.tasks, RACE / max(each, 1e-7))
    stretched = min(wanted * min(MORE, 1 / facts.busy), LONGEST / max(each, 1e-7))
    even = max(1, facts.tasks // 2)  # twice as many as there are CPUs: they look at four for each
    taken = min(items, even * math.ceil(max(wanted, stretched) / even))
    more = taken / facts.tasks
    return replace(
        facts,
        tasks=taken,
        seconds=facts.seconds * more,
        compute_seconds=facts.compute_seconds * more,
        items=items,
        taken=taken,
    )


def _gil(probed: LiveProbed, question: Question) -> tuple[Estimate | None, str]:
    try:
        held = gil.examine(probed, question)
    except Unavailable as reason:
        return None, "disabled" if "without a GIL" in str(reason) else str(reason)
    return Estimate(held["held"], held["low"], held["high"], held["samples"]), "enabled"


def switches(stable: Stable, facts: Facts, heats: Sequence[Heat]) -> float | None:
    """Return GIL switches a second on threads, where threads ran and did worse than the GIL explains; else None."""
    threads = [one for one in heats[0].times if one.scheduler == "threads"]
    if not threads or not facts.held or facts.held.value < 0.02:
        return None
    one = min(threads, key=heats[0].median)
    explained = facts.seconds * max(facts.held.value, 1 / one.parallelism)
    if heats[0].median(one) < 1.3 * explained:
        return None
    try:
        with stable.alone(one) as probed:
            probed.ready()
            return float(gil.examine(probed)["switches_per_second"])
    except (Broken, Unavailable):
        return None


# --- Races


def warm_race(
    stable: Opens, facts: Facts, say: Say, room: Room, cpus: int, seed: int | None = None
) -> tuple[list[Heat], dict[Contender, str]]:
    """Race what the probes leave; then those that start slowly, if there is room; then the closest in fresh processes."""
    draw = random.Random(seed)
    status: dict[Contender, str] = {}
    first = admitted(FIRST_THREADED if facts.threaded else FIRST, facts, cpus, facts.compute_seconds, status)
    say(f"racing {', '.join(dict.fromkeys(one.scheduler for one in first))}")
    with room.opened(stable, first) as racers:
        heats = [heat(racers, HEAT, draw, room.clock, patience=2 * facts.compute_seconds)]
        later = admitted(LATER_THREADED if facts.threaded else LATER, facts, cpus, _best(heats), status)
        if why := lost(heats[0]):
            status |= dict.fromkeys(later, f"ruled out: {why}")
            later = []
        known = words.undecided(heats) or [heats[0].leader()]
        fitting = fits(later, room, facts, cpus, _best(heats), len(known))
        status |= {one: "not raced: no time was left" for one in later if one not in fitting}
        if fitting:
            say(f"racing {', '.join(dict.fromkeys(one.scheduler for one in fitting))}")
            with room.opened(stable, fitting) as more:
                both = {**{one: racers[one] for one in known}, **more}
                heats.append(heat(both, HEAT, draw, room.clock, rivals=heats[0]))
    while len(heats) < HEATS + 1:
        again = _with_fewer_workers(heats, facts, cpus) or words.undecided(heats)
        if not again or not room.for_another(again, _best(heats)):
            break
        say(f"too close to call: {', '.join(one.name for one in again)} once more, in fresh processes")
        with room.opened(stable, again) as racers:
            heats.append(heat(racers, HEAT, draw, room.clock))
    return heats, status


def admitted(
    schedulers: Sequence[str], facts: Facts, cpus: int, best: float, status: dict[Contender, str], once: bool = False
) -> list[Contender]:
    """Return the contenders of these schedulers that may win; note in `status` why the others may not."""
    found = []
    for name in schedulers:
        scheduler = all_schedulers()[name]
        if reason := scheduler.unavailable():
            status[Contender(name)] = f"not available: {reason}"
            continue
        most = 1 if name == "sync" else cpus
        shapes = [
            (shape.workers, shape.threads) for shape in scheduler.shapes(cpus) if shape.workers * shape.threads == most
        ]
        wider = words.wider(name, facts, cpus)
        # On one CPU they are the same as sync, and more; and where tasks wait half the time they leave it idle as long.
        useless = name != "sync" and (cpus == 1 or (wider and facts.busy < words.MOSTLY))
        for one in words.entries(name, [*([] if useless else shapes), *wider], facts):
            if why := words.ruled_out(one, facts, best, cpus, once, GAIN if name in LATER else SAME):
                status[one] = f"ruled out: {why}"
            else:
                found.append(one)
    return found


def fits(
    contenders: Sequence[Contender], room: Room, facts: Facts, cpus: int, best: float, known: int
) -> list[Contender]:
    """Return those that there is time for: the ones that promise most, by what bounds them, of the simplest schedulers first.

    best, known: as for Room.for_another.
    """
    chosen: list[Contender] = []
    promising = sorted(
        contenders, key=lambda one: (round(words.bound(one, facts, cpus) / best, 1), words.simplicity(one))
    )
    for process in dict.fromkeys(one.process for one in promising):
        more = [*chosen, *(one for one in contenders if one.process == process)]
        if room.for_another(more, best, known):
            chosen = more
    return chosen


def lost(state: Heat) -> str | None:
    """Return why no other kind of processes can win, where those that raced lost by far; they copy as much, or more."""
    crossing = [one for one in state.times if one.scheduler == "processes" and math.isfinite(state.median(one))]
    if not crossing:
        return None
    one = min(crossing, key=state.median)
    times = state.median(one) / state.median(state.leader())
    return f"{one.name} takes {times:.1f}x as long as {state.leader().name}" if times > LOST else None


def _best(heats: Sequence[Heat]) -> float:
    return min(one.median(one.leader()) for one in heats)


def _with_fewer_workers(heats: Sequence[Heat], facts: Facts, cpus: int) -> list[Contender]:
    """Return the leader and itself with half the workers, where that was not raced and more CPUs than two make it likely."""
    leader = heats[-1].leader()
    half = (
        replace(leader, workers=leader.workers // 2)
        if leader.workers > 1
        else replace(leader, threads=leader.threads // 2)
    )
    ideal = facts.seconds / leader.parallelism
    efficient = heats[-1].median(leader) < 1.3 * ideal
    if (
        cpus < 4
        or leader.scheduler == "sync"
        or half.parallelism < 2
        or efficient
        or any(half in h.times for h in heats)
    ):
        return []
    return [half, *(words.undecided(heats) or [leader])]


def cold_race(stable: Stable, facts: Facts, say: Say, room: Room, cpus: int) -> tuple[list[Heat], dict[Contender, str]]:
    """Measure opening and one compute, in fresh processes one after the other; each of these rounds is a heat."""
    draw = random.Random()
    status: dict[Contender, str] = {}
    more = (facts.items / facts.taken - 1) if facts.items and facts.taken else 0.0
    whole = replace(facts, seconds=facts.seconds * (1 + more), tasks=round(facts.tasks * (1 + more)))
    entered = admitted(words.SIMPLEST, whole, cpus, facts.compute_seconds * (1 + more), status, once=True)
    entered = [one for one in entered if one.chunk == min(o.chunk for o in entered if o.process == one.process)]
    heats: list[Heat] = []
    longest = 0.0  # seconds of one round
    while entered and len(heats) < HEATS and (not heats or room.fits(longest)):
        start = room.clock()
        say(f"one compute each, with starting: {', '.join(one.name for one in entered)}")
        state = Heat({one: [] for one in entered})
        for one in draw.sample(entered, len(entered)):
            try:
                state.times[one].append(stable.cold(one, more))
            except Broken as broken:
                state.failed[one] = broken.reason
                state.times[one].append(None)
        leader = state.leader()
        for one in state.running:
            if state.median(one) > (HOPELESS if heats else AT_ONCE / 2) * state.median(leader):
                state.left[one] = f"left after {len(heats) + 1} starts"
        heats.append(state)
        longest = max(longest, room.clock() - start)
        entered = state.running if len(state.running) > 1 else []
    return heats, status


# --- Advice


def advised(target: str, facts: Facts, heats: Sequence[Heat], status: Mapping[Contender, str], once: bool) -> Advice:
    """Return the advice that the heats give. Raises UserError where nothing could run."""
    if not any(math.isfinite(heats[-1].median(one)) for one in heats[-1].times):
        why = next(iter(status.values()), "no scheduler finished a compute")
        raise UserError(f"{target!r} could not be raced: {why}")
    chosen, verdict, equal = words.choose(heats)
    seconds = {one: heat.median(one) for heat in heats for one in heat.times if math.isfinite(heat.median(one))}
    said = dict(status)
    for heat_ in heats:
        for one in heat_.times:
            said[one] = heat_.failed.get(one) or heat_.left.get(one) or "raced to the end"
    speedups = words.speedups_over_sync(heats)
    return Advice(
        target=target,
        chosen=chosen,
        verdict=verdict,
        speedup=speedups.get(chosen) or Estimate(math.nan, 0.0, math.inf, 0),
        once=once,
        facts=facts,
        speedups=speedups,
        status=said,
        seconds=seconds,
        equal=equal,
        cpus=usable_cpus(),
    )
