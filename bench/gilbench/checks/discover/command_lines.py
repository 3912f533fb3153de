"""Command lines that the user gives with --command. Each runs in the arm's tree, with the arm's `python`, from start to end."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gilbench.cases.benchmark import Benchmark
from gilbench.checks.driven.source_files import Found
from gilbench.checks.driven.turn_taking import Listing, Task, Turns, failure_of, timed_command
from gilbench.errors import Failure, UserError

NAME = "command"
LOOKS_FOR = ""
ORDERED = False

OF_A_SHELL = frozenset("|&;<>$*?`~(){}")
"""Characters that only a shell understands."""


# --- In the parent


def find(tree: Path, named: Sequence[str] = ()) -> list[Found]:
    """Return nothing: no command is a benchmark before the user says so."""
    return []


def asked_for(tree: Path, functions: Sequence[tuple[str, str]], asked: Any) -> list[Found]:
    """Return the commands as one file without a name. Raises UserError for one that cannot be split into words."""
    for command in asked.commands:
        words_of(command)
    return [Found("", (), {"commands": list(asked.commands)})] if asked.commands else []


def words_of(command: str) -> list[str]:
    """Return the words of a command line, or a shell that understands it. Raises UserError where it has no words."""
    if OF_A_SHELL & set(command):
        return ["sh", "-c", command]
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"--command {command!r}: {error}") from None
    if not words:
        raise UserError("--command is empty")
    return words


# --- In the child


def listed(task: Task) -> Listing:
    """List the commands."""
    return Listing([Benchmark("command_lines", "", command) for command in task.settings["commands"]])


def drive(task: Task, turns: Turns) -> None:
    """Take turns on each command."""
    turns.started()
    for command in task.order or ():
        turns.begin(command)
        failure: Failure | None = None
        try:
            turns.take(timed_command(words_of(command)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever goes wrong is reported with the command
            failure = failure_of(error)
        turns.end(failure)
