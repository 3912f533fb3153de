"""The journal: one line for each observation, on disk before the next one starts, so that a crash loses at most one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gilbench.cases.plan import Plan
from gilbench.errors import UserError
from gilbench.machine import Value
from gilbench.results.format_version import FORMAT, check_version
from gilbench.results.records import MALFORMED, Observation, Result, checked


class Journal:
    """A file that grows while cases are measured. Raises UserError if it cannot be written."""

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
        """Append one observation. It is on disk when this returns."""
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
                f"cannot write {self.path}: {error.strerror}; what was measured before is kept: fix this, then add --resume"
            ) from error


def _drop_torn_line(path: Path) -> None:
    """Cut off the last line if a crash left it unfinished."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def read_journal(path: Path) -> Result:
    """Read what an unfinished run measured. Raises UserError if the file is not a journal of gilbench or too new."""
    lines = read_text(path).split("\n")[:-1]  # after the last newline comes nothing, or a torn line
    try:
        header = json.loads(lines[0])
        check_version(header["gilbench"], FORMAT, path)
        observations = tuple(Observation.from_json(json.loads(line)) for line in lines[1:])
        return checked(Result(path.stem, Plan.from_json(header["plan"]), header["machine"], observations))
    except MALFORMED as error:
        raise UserError(f"{path} is not a journal of gilbench: delete it and run again") from error


def read_text(path: Path) -> str:
    """Read a result file or a journal as text. Raises UserError if it cannot be read or is not text."""
    try:
        return path.read_text()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a result file of gilbench: it is not text") from error
