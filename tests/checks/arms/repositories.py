"""Repositories that tests make: real ones, in a temporary folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def committed(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with one commit, or one more commit in it."""
    written(folder, files)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "a commit")
    return folder


def state(folder: Path) -> tuple[str, ...]:
    """What must stay the same: the working tree, the index, the stash, and the worktrees."""
    listed = ("status --porcelain --ignored", "ls-files --stage", "stash list", "worktree list", "config --list")
    files = sorted(
        f"{path.relative_to(folder)} {path.stat().st_mtime_ns}"
        for path in folder.rglob("*")
        if ".git" not in path.parts
    )
    return (*(git(folder, *line.split()) for line in listed), *files)
