"""Environments of arms: made from a project's own metadata, or by the user's command, and kept by what went into them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gilbench.checks.arms.arm import activated
from gilbench.console import Say, printable
from gilbench.errors import UserError
from gilbench.process.environments import binary_of, installer, kept
from gilbench.process.interpreters import Done, complaint, execute

SHOWN = 20  # the last lines of a build that failed
CHATTER = re.compile(
    r"(?i)^\s*(\[?notice\]?|note|hint)\b|^\s*(\[end of output\]|╰─>|\u00d7|full command|cwd:|python_version)"
)


@dataclass(frozen=True)
class Recipe:
    """What goes into an environment.

    python: interpreter that it is made from. what: the arm, for messages. tools: requirements in exact versions, which give
    way where they are not available. packages: requirements. build: folder of the project to build, or None. stamp: digest
    of what the build reads, so that nothing is used that was built from something else. setup: command instead of the build,
    run in `build`.
    """

    python: str
    what: str
    tools: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    build: Path | None = None
    stamp: str = ""
    setup: str = ""


def made(recipe: Recipe, cache: Path, say: Say) -> str:
    """Return the interpreter of an environment made by a recipe: the one that was kept, or a new one.

    Raises UserError with one line where something cannot be installed; the last lines of a failed build are said before.
    """
    how = "uv" if shutil.which("uv") else "pip"

    def install(binary: str, variables: Mapping[str, str]) -> dict[str, str]:
        _install(recipe, binary, variables, say)
        return {}

    key = [
        "arm", os.path.realpath(recipe.python), how, recipe.tools, recipe.packages, recipe.stamp,
        recipe.setup,
    ]  # fmt: skip
    folder, _ = kept(
        cache, key, recipe.python, install, execute,
        lambda: say(f"making an environment for {recipe.what} with {how}, once"),
    )  # fmt: skip
    return str(binary_of(folder))


def _install(recipe: Recipe, binary: str, variables: Mapping[str, str], say: Say) -> None:
    if recipe.tools:
        done = execute([*installer(binary), *recipe.tools], variables)
        if done.returncode:  # another interpreter may need other versions
            done = execute([*installer(binary), *(tool.partition("==")[0] for tool in recipe.tools)], variables)
        _demand(done, f"{recipe.what}: what runs benchmarks cannot be installed", say)
    if recipe.setup and recipe.build is not None:
        _set_up(recipe, recipe.build, binary, variables, say)
        return
    if recipe.packages:
        done = execute([*installer(binary), *recipe.packages], variables)
        _demand(done, f"no environment with {' '.join(recipe.packages)}", say)
    if recipe.build is not None:
        done = execute([*installer(binary), *recipe.packages, str(recipe.build)], variables)
        _demand(done, f"{recipe.what} does not build", say)


def _set_up(recipe: Recipe, folder: Path, binary: str, variables: Mapping[str, str], say: Say) -> None:
    """Run the user's command in the arm's tree, with its environment active."""
    if shutil.which("uv"):
        _demand(execute([*installer(binary), "pip"], variables), "pip cannot be installed", say)
    if recipe.packages:
        done = execute([*installer(binary), *recipe.packages], variables)
        _demand(done, f"no environment with {' '.join(recipe.packages)}", say)
    shell = ["cmd", "/c"] if os.name == "nt" else ["/bin/sh", "-c"]
    done = execute([*shell, recipe.setup], {**variables, **activated(binary)}, folder)
    _demand(done, f"{recipe.what}: --setup {shlex.quote(recipe.setup)} failed", say)


def _demand(done: Done, wrong: str, say: Say) -> None:
    """Raise UserError where a command failed, with the line that says why; say its last lines before where there are more."""
    if not done.returncode:
        return
    lines = [printable(line.rstrip()) for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    told = [line for line in lines if not CHATTER.match(line)]
    for line in told[-SHOWN:] if len(told) > 1 else ():
        say(f"    {line}")
    raise UserError(f"{wrong}: {reason(told, done)}")


def reason(lines: Sequence[str], done: Done) -> str:
    """Return the line that says why a build failed: the last one that names an error of its own, or what the installer said."""
    inner = [line.strip() for line in lines if re.search(r"\b\w*(Error|error|Exception)\b:? \S", line)]
    outer = re.compile(
        r"(?i)subprocess-exited|failed building wheel|failed to build|build backend|command .* failed|error: Command"
    )
    own = [line for line in inner if not outer.search(line)]
    return own[-1][:300] if own else complaint(done)
