"""Fakes for tests of a run: its options, another interpreter, and a result that is timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gilbench.measure.planning import RunOptions
from gilbench.measure.rounds import measure_into
from gilbench.measure.software import Software
from gilbench.process.interpreters import Interpreter
from gilbench.results.records import Result
from tests.scripted import MACHINE, Script, noisy, plan

OTHER = Interpreter("/some/python3.13t", "3.13.5", "3.13t")


def options(**changes: Any) -> RunOptions:
    """What the command line gives for `gilbench run`."""
    return replace(RunOptions(profile="quick", timeout=10.0, seed=1), **changes)


def installed(tag: str = "3.13t", **changes: Any) -> Software:
    """Another interpreter, on the scripted machine."""
    return replace(Software("/some/python", {"PYTHONPATH": "/code"}, MACHINE, {}, {}, tag), **changes)


def timed(tmp_path: Path, workloads: int = 2, failures: Mapping[str, tuple[str, str]] | None = None) -> Result:
    script = Script(noisy(0.01), failures or {})
    return measure_into(Result("r", plan(workloads), MACHINE), tmp_path / "r.json", script)
