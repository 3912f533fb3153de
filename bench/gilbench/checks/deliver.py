"""Where verdicts go besides the terminal: the files that the user named, the CI job's summary, and the results folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gilbench.errors import UserError
from gilbench.files import ignored_by_git, write
from gilbench.report import Page, formats
from gilbench.results.records import Result
from gilbench.results.result_file import save
from gilbench.results.verdicts import Verdicts

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"


def to_files(verdicts: Verdicts, files: Mapping[str, Path | None]) -> None:
    """Write each format for which the options name a file, and append to the CI job's summary, if there is one.

    files: format -> file, or None. Raises UserError for what cannot be written, once everything else has been.
    """
    failed = []
    for name, path in files.items():
        if path is not None:
            failed += _tried(path, formats("verdicts")[name](verdicts, Page()), append=False)
    if os.environ.get(JOB_SUMMARY):
        failed += _tried(Path(os.environ[JOB_SUMMARY]), formats("verdicts")["markdown"](verdicts, Page()), append=True)
    if failed:
        raise UserError("; ".join(failed))


def keep(folder: Path, verdicts: Verdicts, results: Sequence[Result]) -> Path:
    """Write both arms' results and the verdicts into a new folder below `folder`; return the path of the verdicts.

    Raises UserError where they cannot be written.
    """
    place = folder / "checks" / time.strftime("%Y%m%d-%H%M%S")
    while place.exists():
        place = place.with_name(f"{place.name}-again")
    try:
        ignored_by_git(place.parent)
        place.mkdir(parents=True)
        for result in results:
            save(result, place / f"{result.name}.json")
        path = place / "verdicts.json"
        write(path, formats("verdicts")["json"](verdicts, Page()).encode())
    except OSError as error:
        raise UserError(f"cannot keep the results in {place}: {error.strerror}") from error
    return path


def _tried(path: Path, text: str, *, append: bool) -> list[str]:
    """Write and return nothing, or return what went wrong."""
    try:
        if append:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        else:
            write(path, text.encode())
    except (OSError, ValueError) as error:  # ValueError: "." has no name
        return [f"cannot write {path}: {getattr(error, 'strerror', None) or error}"]
    return []
