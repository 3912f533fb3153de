"""What results, checks and claims look like: one file per format, and the folder is the registry.

A module is a format if it defines one of these pure functions. Only their callers print or write:

    of_result(summary, page) -> str       a result
    of_verdicts(verdicts, page) -> str    a check or a comparison
    of_claims(claims, page) -> str        the tutorial's claims with their verdicts
    of_history(tracks, page) -> str       what a history of checks shows, a track for each benchmark

The format has the module's name without `_format`: `text`, but `csv` for csv_format, because no module may shadow one of
the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal


@dataclass(frozen=True)
class Page:
    """What a text is made for. width: columns of the terminal. color: whether to use escape codes for color."""

    width: int = 120
    color: bool = False


Of = Literal["result", "verdicts", "claims", "history"]
Format = Callable[[Any, Page], str]


@cache
def formats(of: Of) -> dict[str, Format]:
    """Return name -> function for every format of results, of verdicts, of claims or of histories."""
    from gilbench import report
    from gilbench.files import modules_in

    found = {module.__name__.rpartition(".")[2].removesuffix("_format"): module for module in modules_in(report)}
    return {name: getattr(module, f"of_{of}") for name, module in found.items() if hasattr(module, f"of_{of}")}
