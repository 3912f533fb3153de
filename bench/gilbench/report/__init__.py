"""What results, checks and claims look like: one file per format, and the folder is the registry.

A module is a format if it defines one of these, which are pure; the callers alone print or write:

    of_result(summary, page) -> str       a result
    of_verdicts(verdicts, page) -> str    a check or a comparison
    of_claims(findings, page) -> str      the tutorial's claims

The format goes by the module's name: `text`, and `csv` for csv_format, as no module is called like one of Python's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal


@dataclass(frozen=True)
class Page:
    """What the text is made for. width: columns. colour: whether escape codes are welcome."""

    width: int = 120
    colour: bool = False


Of = Literal["result", "verdicts", "claims"]
Format = Callable[[Any, Page], str]


@cache
def formats(of: Of) -> dict[str, Format]:
    """Return name -> function, for every format of results, of verdicts or of claims."""
    from gilbench import report
    from gilbench.plugins import modules_in

    found = {module.__name__.rpartition(".")[2].removesuffix("_format"): module for module in modules_in(report)}
    return {name: getattr(module, f"of_{of}") for name, module in found.items() if hasattr(module, f"of_{of}")}
