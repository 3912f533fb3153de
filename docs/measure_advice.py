"""What the advice is worth: its regret over an exhaustive measurement, compared with that of the rules people use today.

    python docs/measure_advice.py measure [--size SIZE]... [--workloads] [--functions] [--fresh] [PATTERN]...
    python docs/measure_advice.py table
    python docs/measure_advice.py cost [--count 8]

`measure` takes targets in random order, for as long as you let it. For each it first asks `gilbench advise`, as a user would,
and then measures exhaustively: every scheduler with every number of workers and every chunk, in turns, in one set of fresh
processes. It appends a line for each to results/reference/advice.jsonl; Ctrl-C loses only the last. `table` sums them up.

Regret is the time of a configuration over that of the best one, minus 1. The fastest of sixty that were measured with noise
looks faster than it is. Therefore the three fastest, the advised one and those of the rules meet again in six further sets of
fresh processes, where whatever is more than twice as slow takes a single turn; the best is the fastest of the three there. That
choice favors luck again. Therefore the regret of the advised one comes from ten more sets, of it and the best alone. (At size
large, where a set takes a minute, there are two and five sets.) With a single process of each, an exhaustive measurement would
have no intervals, so its cost counts as that of three sets, the fewest that `gilbench run` takes. `cost` compares with that
command itself, the alternative that a user has: it prints how long `gilbench advise` and `gilbench run` take for workloads and
sizes drawn at random, the latter for every scheduler and number of workers, to its usual precision.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from advice_functions import FRESH, FUNCTIONS, NUMBERS, TEXT, Function

from gilbench.advice.entry import chunks, wider
from gilbench.advice.fit import Fit
from gilbench.advice.probing import probe_target
from gilbench.advice.racing import Contender, Heat
from gilbench.advice.starting import LiveStarter
from gilbench.advice.target_facts import Facts
from gilbench.machine import fingerprint, usable_cpus
from gilbench.process.talk import Broken
from gilbench.schedulers import all_schedulers
from gilbench.stats import Estimate
from gilbench.targets.builtin import all_workloads
from gilbench.targets.naming import is_own, workload_of
from gilbench.targets.workload import SIZES
from gilbench.variables import ITEMS

OUT = Path(__file__).parents[1] / "results" / "reference" / "advice.jsonl"
FILE = os.path.relpath(Path(__file__).parent / "advice_functions.py")
SETS, ROUNDS, SECONDS = 3, 8, 5.0  # of an exhaustive measurement, the most turns of each in one, and seconds of turns
FASTEST, FINALS, SHORT = 3, 6, 1.5  # that meet again, in how many sets, and seconds of turns in each
DUELS = 10  # sets of the advised one and the best alone
FINALS_LARGE, DUELS_LARGE = 2, 5  # of the size large, where a set takes a minute
TWICE = 2.0
ADVICE = "gilbench advise"  # its row among the rules
CLOSE = 0.05  # regret up to which a choice is as good as the best
LONG = 4.0  # times the seconds, from which on two rounds of turns are enough
MORE_THAN_CPUS = {  # (workers, threads), for tasks that wait
    "threads": [(1, 4), (1, 8), (1, 16), (1, 32)],
    "processes": [(4, 1), (8, 1)],
    "loky": [(4, 1)],
    "distributed": [(2, 2), (2, 4), (2, 8)],
}
TEXT_WORKLOADS = ("word_count", "bag_word_count", "csv_text", "csv_text_object", "tiny_tasks", "delayed_tree")


def main() -> None:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    measure_ = commands.add_parser("measure")
    measure_.add_argument("patterns", nargs="*")
    measure_.add_argument("--size", action="append", default=[])
    measure_.add_argument("--workloads", action="store_true")
    measure_.add_argument("--functions", action="store_true")
    measure_.add_argument("--fresh", action="store_true", help="functions that nothing was tuned on")
    commands.add_parser("table")
    commands.add_parser("cost").add_argument("--count", type=int, default=8)
    options = parser.parse_args()
    if options.command == "table":
        print(table([json.loads(line) for line in OUT.read_text().splitlines()]))
    elif options.command == "cost":
        cost(options.count)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Measure what is asked for and not there yet; append a line for each."""
    every = not (options.workloads or options.functions or options.fresh)
    functions = [*(FUNCTIONS if options.functions or every else ()), *(FRESH if options.fresh or every else ())]
    targets = list(targets_of(options.workloads or every, functions, options.size or ["small", "default"]))
    chosen = [
        target for target in targets if not options.patterns or any(fnmatch(target[0], p) for p in options.patterns)
    ]
    done = {(line["target"], line["items"], line["size"]) for line in map(json.loads, OUT.read_text().splitlines())} \
        if OUT.exists() else set()  # fmt: skip
    for target, items, size, kind in random.sample(chosen, len(chosen)):
        if (shown(target), items, size) in done:
            continue
        try:
            found = measured(target, items, size, kind)
        except Broken as broken:
            print(f"{shown(target)} {items or size}: {broken}", file=sys.stderr)
            continue
        with OUT.open("a") as out:
            out.write(json.dumps(found) + "\n")
        print(
            f"{shown(target)} {items or size}: {found['advised']} ({found['verdict']}), "
            f"regret {found['regret']:.1%}, best {found['best']}; "
            f"{found['advise_seconds']:.0f} s, exhaustive {found['exhaustive_seconds']:.0f} s",
            flush=True,
        )


def targets_of(
    workloads: bool, functions: Iterable[Function], sizes: Iterable[str]
) -> Iterator[tuple[str, str | None, str, str]]:
    """Yield (target, items, size, kind) of everything to ask advice on."""
    for function in functions:
        yield f"{FILE}:{function.name}", function.items, "default", function.kind
    if workloads:
        for name in all_workloads():
            for size in sizes:
                yield name, None, size, TEXT if name in TEXT_WORKLOADS else NUMBERS


def shown(target: str) -> str:
    """Return the target without its folder."""
    return target.rpartition("/")[2]


def measured(target: str, items: str | None, size: str, kind: str) -> dict[str, Any]:
    """Ask for advice, measure everything, and return the line to append."""
    began = time.monotonic()
    advice = advised(target, items, size)
    advise_seconds = time.monotonic() - began
    os.environ.pop(ITEMS, None)
    environment = {} if items is None else {ITEMS: items}
    os.environ.update(environment)
    workload = workload_of(target)
    starter = LiveStarter(workload, size, 120.0, environment, workload.pinned and not is_own(target))
    facts = probe_target(starter, lambda line: None)
    starter.learn(facts)
    chosen = Contender(**advice["advice"])
    began = time.monotonic()
    everything = dict.fromkeys([*configurations(facts, usable_cpus()), chosen])
    typical = exhaustive(starter, list(everything), SECONDS)
    exhaustive_seconds = SETS * (time.monotonic() - began)
    fastest = sorted(everything, key=typical.median)[:FASTEST]
    sync = min((contender for contender in everything if contender.scheduler == "sync"), key=typical.median)
    by_rule = rules(kind, workload.collection, target, everything)
    compared = list(dict.fromkeys([*fastest, chosen, sync, *filter(None, by_rule.values())]))
    finals = [exhaustive(starter, compared, SHORT) for _ in range(FINALS_LARGE if size == "large" else FINALS)]
    fit = Fit(finals)
    over = {contender: found.value for contender in fastest if (found := fit.ratio(contender, fastest[0]))}
    best = min(over, key=lambda contender: over[contender])

    def regret(contender: Contender | None) -> float | None:
        found = fit.ratio(contender, best) if contender else None
        return max(0.0, found.value - 1) if found else None

    against = duel(starter, chosen, best, DUELS_LARGE if size == "large" else DUELS)
    speedup = fit.ratio(sync, chosen)
    return {
        "target": shown(target), "items": items, "size": size, "kind": kind,
        "advised": chosen.name, "verdict": advice["verdict"], "best": best.name,
        "regret": max(0.0, against.value - 1), "regret_low": against.low - 1, "regret_high": against.high - 1,
        "rules": {name: regret(contender) for name, contender in by_rule.items()},
        "promised": advice["speedup"], "speedup": speedup.value if speedup and chosen != sync else 1.0,
        "task_seconds": facts.task_seconds,
        "advise_seconds": advise_seconds, "exhaustive_seconds": exhaustive_seconds,
        "seconds": {contender.name: seconds for contender in everything if math.isfinite(seconds := typical.median(contender))},
        "cpus": usable_cpus(), "python": fingerprint()["python_version"],
    }  # fmt: skip


def advised(target: str, items: str | None, size: str) -> Mapping[str, Any]:
    """Return the answer of the command, as data. Raises Broken where it fails."""
    command = [sys.executable, "-m", "gilbench", "advise", target, "--size", size, "--json"]
    command += [] if items is None else ["--items", items]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken("advise", done.stderr.strip())
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def cost(count: int) -> None:
    """Print how long it takes to ask about `count` random workloads, and to measure them in full."""
    print("| workload | size | gilbench advise | gilbench run | of it |\n|---|---|---|---|---|")
    for name, size in random.sample([(name, size) for name in all_workloads() for size in SIZES], count):
        with tempfile.TemporaryDirectory() as folder:
            asking = seconds_of("advise", name, "--size", size)
            running = seconds_of("run", name, "--size", size, "--results", folder)
        print(f"| `{name}` | {size} | {asking:.0f} s | {running:.0f} s | {asking / running:.0%} |", flush=True)


def seconds_of(*arguments: str) -> float:
    """Return how long a command of gilbench takes."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "gilbench", *arguments], capture_output=True, check=True)
    return time.monotonic() - began


def configurations(facts: Facts, cpus: int) -> Iterator[Contender]:
    """Yield every way to run it: every scheduler, number of workers and chunk."""
    for scheduler in all_schedulers().values():
        if scheduler.advisable is None or scheduler.unavailable():
            continue  # those that are never advised run on what others keep warm
        shapes = [(shape.workers, shape.threads) for shape in scheduler.shapes(cpus)]
        if facts.busy < 1:
            shapes += MORE_THAN_CPUS.get(scheduler.name, [])
        for workers, threads in dict.fromkeys([*shapes, *wider(scheduler.name, facts, cpus)]):
            parallelism = workers * threads
            found = set(chunks(facts, parallelism))
            if facts.taken:
                found |= {chunk for chunk in (1, 4, 16, 64, 256) if chunk * 2 * parallelism <= facts.taken}
                found |= {-(-facts.taken // (parallelism * tasks)) for tasks in (1, 2, 4)}  # for each worker
            for chunk in sorted(found):
                tasks = (facts.taken or facts.tasks) / chunk
                if tasks <= 1000 or chunk == max(found):  # a cluster takes seconds for a thousand tasks
                    yield Contender(scheduler.name, workers, threads, chunk)


def exhaustive(starter: LiveStarter, contenders: list[Contender], seconds: float) -> Heat:
    """Let all take turns in one set of fresh processes, in random order, for this many seconds."""
    state, draw = Heat({contender: [] for contender in contenders}), random.Random()
    with starter.started(contenders) as racers:
        began = time.monotonic()
        for round_ in range(ROUNDS):
            running = [
                contender for contender in racers if contender not in state.failed and contender not in state.left
            ]
            for contender in contenders:
                state.times[contender].append(None)
            for contender in draw.sample(running, len(running)):
                try:
                    state.times[contender][-1] = racers[contender].turn(contender, 120.0)
                except Broken as broken:
                    state.failed[contender] = broken.reason
            best = state.median(state.leader())
            state.left |= {
                contender: "twice as slow" for contender in running if state.median(contender) > TWICE * best
            }
            spent = time.monotonic() - began
            if spent > seconds and (round_ >= 2 or (round_ == 1 and spent > LONG * seconds)):
                break
    return state


def duel(starter: LiveStarter, chosen: Contender, best: Contender, sets: int) -> Estimate:
    """Return the time of one over the other's, from sets that had no part in choosing them. Raises Broken."""
    if chosen == best:
        return Estimate(1.0, 1.0, 1.0, 0)
    found = Fit([exhaustive(starter, [chosen, best], SHORT) for _ in range(sets)]).ratio(chosen, best)
    if found is None:
        raise Broken("duel", f"{chosen.name} and {best.name} did not both run")
    return found


def rules(kind: str, collection: bool, target: str, known: Iterable[Contender]) -> dict[str, Contender | None]:
    """Return rule -> the contender that it chooses, with as many workers as CPUs and no chunks; None where that did not run."""
    cpus = usable_cpus()
    by_name = {
        "threads": Contender("threads", 1, cpus),
        "processes": Contender("processes", cpus),
        "distributed": Contender("distributed", cpus),
        "sync": Contender("sync"),
    }
    own = "processes" if collection and target.startswith("bag") else "threads"
    chosen = {
        "numbers: threads, text: processes": "threads" if kind == NUMBERS else "processes",
        "each collection's default": own,
        "always distributed": "distributed",
        "always processes": "processes",
        "no parallelism (sync)": "sync",
    }
    return {rule: by_name[name] if by_name[name] in known else None for rule, name in chosen.items()}


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the figures as a markdown table: for the project's workloads, and for the other functions."""
    found = ["| on | rule | targets | regret <= 5 % | <= 10 % | worst | mean |", "|---|---|---|---|---|---|---|"]
    for group, members in groups(lines).items():
        if not members:
            continue
        for rule, known in by_rule(members).items():
            found.append(
                f"| {group} | {rule} | {len(known)} | {share(known, CLOSE)} | {share(known, 0.1)} | {max(known):.0%} "
                f"| {statistics.fmean(known):.1%} |"
            )
    for group, members in groups(lines).items():
        found += ["", f"{group[:1].upper()}{group[1:]}:", *further(members)] if members else []
    return "\n".join(found)


def groups(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the lines by kind of target: the project's workloads, functions that advice was tuned on, and fresh ones."""
    return {
        "workloads": [line for line in lines if line["items"] is None],
        "functions it was tuned on": [line for line in lines if line["items"] is not None and not fresh(line)],
        "fresh functions": [line for line in lines if fresh(line)],
    }


def by_rule(members: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return rule -> the regrets of the targets where it could be followed. Rules without any are left out."""
    rules = {rule: [line["rules"][rule] for line in members] for rule in members[0]["rules"]}
    found = {ADVICE: [line["regret"] for line in members], **rules}
    known = {rule: [regret for regret in regrets if regret is not None] for rule, regrets in found.items()}
    return {rule: regrets for rule, regrets in known.items() if regrets}


def fresh(line: Mapping[str, Any]) -> bool:
    """Return whether a line is about a function that nothing was tuned on."""
    return (line["target"].rpartition(":")[2], line["items"]) in {(function.name, function.items) for function in FRESH}


def further(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield more on a group: which targets regret, the cost, and whether the promised speed-up came true."""
    above = [
        f"{line['target']} {line['items'] or line['size']}, {line['regret']:.0%}"
        for line in lines
        if line["regret"] > CLOSE
    ]
    cost = [line["advise_seconds"] / line["exhaustive_seconds"] for line in lines]
    seconds = [line["advise_seconds"] for line in lines]
    short = [line["advise_seconds"] for line in lines if line["task_seconds"] < 0.1]
    kept = [
        line["promised"]["low"] <= line["speedup"] <= line["promised"]["high"] for line in lines if line["promised"]
    ]
    yield f"- Over 5 %: {'; '.join(above) or 'none'}."
    yield (
        f"- Asking takes {statistics.median(seconds):.0f} s at the median, and at most {max(seconds):.0f} s ({max(short):.0f} s "
        f"for tasks under 100 ms): {statistics.median(cost):.0%} of the exhaustive measurement, at most {max(cost):.0%}; "
        f"within 10 % for {share(cost, 0.1)}."
    )
    yield f"- The speed-up lay within the promised interval in {statistics.fmean(kept):.0%}."


def share(regrets: list[float], bar: float) -> str:
    """Return the share of regrets up to the bar, in percent."""
    return f"{sum(regret <= bar for regret in regrets) / len(regrets):.0%}"


if __name__ == "__main__":
    main()
