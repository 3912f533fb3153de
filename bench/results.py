"""Result files: a journal while measuring, then one pyperf BenchmarkSuite with a benchmark for each case.

The journal (`NAME.jsonl`) gets one line for each observation, written and synced at once, so that a crash loses at most the
one in flight. A finished or interrupted run folds it into `NAME.json`, which every pyperf command opens. Results are data:
they are parsed as JSON and never evaluated.
"""

from __future__ import annotations

import io
import json
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.files import write
from bench.machine import Value
from bench.plan import Case, Plan
from bench.probes import Probing

FORMAT = 1
# What pyperf adds that names a machine or a folder: results are made to be shared.
PRIVATE = frozenset({"hostname", "python_executable", "python_config_args", "boot_time", "uptime"})


@dataclass(frozen=True)
class Observation:
    """One fresh process measuring one case: a run of several values, or a failure.

    values: seconds per compute (bytes for a memory case). warmups: (loops, value). metadata: pyperf's and our own.
    failure: (kind, reason), or None. seconds: wall time from starting the process to its end.
    """

    case: Case
    round: int
    seed: int
    call: str
    seconds: float
    values: tuple[float, ...] = ()
    warmups: tuple[tuple[int, float], ...] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict)
    failure: tuple[str, str] | None = None

    @property
    def value(self) -> float:
        """The median of this process's values: the one number that statistics use."""
        return statistics.median(self.values)

    def as_json(self) -> dict[str, Any]:
        """Return plain data, for a line of the journal."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Observation:
        """Read `as_json` back. Raises KeyError or TypeError on anything else."""
        return cls(
            case=Case(**data["case"]),
            round=data["round"],
            seed=data["seed"],
            call=data["call"],
            seconds=data["seconds"],
            values=tuple(data["values"]),
            warmups=tuple((loops, value) for loops, value in data["warmups"]),
            metadata=data["metadata"],
            failure=tuple(data["failure"]) if data["failure"] else None,
        )


@dataclass(frozen=True)
class Result:
    """Everything that one run measured.

    stops: case name -> why measuring it stopped; empty while the run goes on.
    probes: what the probes found, one for each workload and size that was probed.
    """

    name: str
    plan: Plan
    machine: Mapping[str, Value]
    observations: tuple[Observation, ...] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[Probing, ...] = ()


class Journal:
    """The file that grows while measuring. Raises UserError where it cannot be written."""

    def __init__(self, path: Path, plan: Plan, machine: Mapping[str, Value], *, new: bool) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not new:
                _drop_torn_line(path)
            self._file = path.open("xb" if new else "ab", buffering=0)
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error
        if new:
            self._line({"gilbench": FORMAT, "plan": plan.as_json(), "machine": dict(machine)})

    def add(self, observation: Observation) -> None:
        """Append one observation; it is on disk when this returns."""
        self._line(observation.as_json())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _line(self, data: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(data).encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UserError(
                f"cannot write {self.path}: {error.strerror}; what was measured before is kept: mend it, then add --resume"
            ) from error


def _drop_torn_line(path: Path) -> None:
    """Cut off a last line that a crash left unfinished."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def read_journal(path: Path) -> Result:
    """Read what an unfinished run measured. Raises UserError where the file is not a journal of ours."""
    lines = _read_text(path).split("\n")[:-1]  # behind the last newline stands nothing, or a torn line
    try:
        header = json.loads(lines[0])
        observations = tuple(Observation.from_json(json.loads(line)) for line in lines[1:])
        return Result(path.stem, Plan.from_json(header["plan"]), header["machine"], observations)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UserError(f"{path} is not a journal of gilbench: delete it, and run again") from error


def save(result: Result, path: Path) -> None:
    """Write a result file in one step. Raises UserError where it cannot be written."""
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
    """Read a result file, or the journal of an unfinished run. Raises UserError with one clear line."""
    if path.suffix == ".jsonl" or (not path.exists() and path.with_suffix(".jsonl").exists()):
        return read_journal(path.with_suffix(".jsonl"))
    text = _read_text(path)
    try:
        content = json.loads(text)
        extra = content["gilbench"]
        observations = [o for benchmark in content["benchmarks"] for o in _observations(content, benchmark)]
        observations += [Observation.from_json(failure) for failure in extra["failures"]]
        observations.sort(key=lambda o: o.round)
        plan = Plan.from_json(extra["plan"])
        probes = tuple(Probing(**probing) for probing in extra.get("probes", ()))
        return Result(path.stem, plan, extra["machine"], tuple(observations), extra["stops"], probes)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a result file of gilbench: make one with `gilbench run`") from error


def newest(folder: Path) -> Path:
    """Return the result file written last. Raises UserError where there is none."""
    found = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UserError(f"no result in {folder}{os.sep}: make one with `gilbench run`, or name a file")
    return found[-1]


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a result file of gilbench: it is not text") from error


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
