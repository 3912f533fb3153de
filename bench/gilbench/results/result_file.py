"""Result files: a journal while measuring, then a pyperf BenchmarkSuite with one benchmark for each case.

The journal (`NAME.jsonl`) gets one line for each observation, written and synced at once, so that a crash loses at most the
one in flight. A finished or interrupted run turns it into `NAME.json`, which every pyperf command can open. Results are
data: they are parsed as JSON and never evaluated. docs/results.md describes the format and what its version promises.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gilbench.cases.case import Case
from gilbench.cases.plan import Plan
from gilbench.errors import UserError
from gilbench.files import write
from gilbench.machine import Value
from gilbench.process.levels import AS_IS
from gilbench.results.format_version import FORMAT, check_version
from gilbench.results.journal import read_journal, read_text
from gilbench.results.records import MALFORMED, Observation, Probing, Result, checked

# Metadata of pyperf that reveals a machine or a folder. Results are made to be shared.
PRIVATE = frozenset({"hostname", "python_executable", "python_config_args", "boot_time", "uptime"})


def save(result: Result, path: Path) -> None:
    """Write a result file in one step. Raises UserError if it cannot be written."""
    import pyperf

    by_case: dict[Case, list[Observation]] = {}
    for observation in result.observations:
        if observation.failure is None:
            by_case.setdefault(observation.case, []).append(observation)
    extra = {
        "format": FORMAT,
        "plan": result.plan.as_json(),
        "machine": dict(result.machine),
        "stops": dict(result.stops),
        "probes": [asdict(probing) for probing in result.probes],
        "failures": [observation.as_json() for observation in result.observations if observation.failure],
    }
    content: dict[str, Any] = {"version": "1.0", "benchmarks": []}
    if by_case:
        benchmarks = [pyperf.Benchmark([_pyperf_run(o, result.machine) for o in runs]) for runs in by_case.values()]
        dumped = io.StringIO()
        pyperf.BenchmarkSuite(benchmarks).dump(dumped)
        content = json.loads(dumped.getvalue())
    text = json.dumps({**content, "gilbench": extra}, separators=(",", ":")) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text.encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def load(path: Path) -> Result:
    """Read a result file, or the journal of an unfinished run.

    Raises UserError, with a message of one line, if the file cannot be read, is not from gilbench, or has a newer format.
    """
    if path.suffix == ".jsonl" or (not path.exists() and path.with_suffix(".jsonl").exists()):
        return read_journal(path.with_suffix(".jsonl"))
    text = read_text(path)
    try:
        content = json.loads(text)
        extra = content["gilbench"]
        check_version(extra.get("format", FORMAT), FORMAT, path)
        observations = [o for benchmark in content["benchmarks"] for o in _observations(content, benchmark)]
        observations += [Observation.from_json(failure) for failure in extra["failures"]]
        observations.sort(key=lambda o: o.round)
        plan = Plan.from_json(extra["plan"])
        probes = tuple(Probing(**probing) for probing in extra.get("probes", ()))
        return checked(Result(path.stem, plan, extra["machine"], tuple(observations), extra["stops"], probes))
    except MALFORMED as error:
        raise UserError(f"{path} is not a result file of gilbench: make one with `gilbench run`") from error


def newest(folder: Path) -> Path:
    """Return the result file that was written last. Raises UserError if there is none."""
    found = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UserError(f"no result in {folder}{os.sep}: make one with `gilbench run`, or name a file")
    return found[-1]


def _pyperf_run(observation: Observation, machine: Mapping[str, Value]) -> Any:
    import pyperf

    case = observation.case
    ours: dict[str, Value] = {
        "name": case.name,
        "workload": case.workload,
        "size": case.size,
        "scheduler": case.scheduler,
        "workers": case.workers,
        "threads": case.threads,
        "inner_threads": "pinned" if case.pinned else "as users get them",
        "measure": case.measure,
        "level": case.level,
        "round": observation.round,
        "seed": observation.seed,
        "call": observation.call,
        "process_seconds": observation.seconds,
    }
    metadata = {key: value for key, value in observation.metadata.items() if key not in PRIVATE}
    return pyperf.Run(
        observation.values,
        warmups=observation.warmups or None,
        metadata={**metadata, **machine, **ours},
        collect_metadata=False,
    )


def _observations(content: Mapping[str, Any], benchmark: Mapping[str, Any]) -> Iterable[Observation]:
    shared = {**content.get("metadata", {}), **benchmark.get("metadata", {})}
    for run in benchmark["runs"]:
        data = {**shared, **run.get("metadata", {})}
        case = Case(
            data["workload"],
            data["size"],
            data["scheduler"],
            data["workers"],
            data["threads"],
            data["inner_threads"] == "pinned",
            data["measure"],
            data.get("level", AS_IS),  # before there were levels, every case was as it is
        )
        yield Observation(
            case,
            data["round"],
            data["seed"],
            data["call"],
            data["process_seconds"],
            tuple(run["values"]),
            tuple((loops, value) for loops, value in run.get("warmups", ())),
            data,
        )
