"""Looking for benchmarks in a project's files, without importing any of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist", "venv"})
"""Folders that hold no sources of the project itself; besides, those whose names begin with a dot."""


@dataclass(frozen=True)
class Found:
    """A file that holds benchmarks. file: relative to the tree. functions: names that it defines. settings: see Task."""

    file: str
    functions: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def files_below(tree: Path, *patterns: str) -> Iterator[Path]:
    """Yield the files of a project that match any pattern, in alphabetical order."""
    for pattern in patterns:
        for path in sorted(tree.rglob(pattern)):
            parts = path.relative_to(tree).parts[:-1]
            if path.is_file() and not any(part in SKIPPED or part.startswith(".") for part in parts):
                yield path


def text_of(path: Path) -> str:
    """Return a file's text; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree; an empty one where it has none: whoever imports the file says so."""
    return _tree_of(text_of(path)) or ast.Module([], [])


def is_broken(path: Path) -> bool:
    """Return whether a file is no Python."""
    return _tree_of(text_of(path)) is None


def _tree_of(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None
