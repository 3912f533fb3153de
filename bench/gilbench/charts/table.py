"""What a chart shows, as a table: for readers who cannot see the picture, and for those who work with the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gilbench.stats import Estimate

Unit = Literal["text", "second", "byte", "ratio", "share", "count"]
Column = tuple[str, Unit]  # name and unit
Cell = str | float | Estimate | None  # None if unknown
Row = tuple[Cell, ...]

SERIES: Final[tuple[Column, ...]] = (("workload", "text"), ("scheduler", "text"))  # how most tables begin


@dataclass(frozen=True)
class Table:
    """Columns, and rows with one cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def joined(tables: Sequence[tuple[str, Table]]) -> Table | None:
    """Return the tables of several results, each given with the result's name, as one; None if there are no rows.

    If there is more than one result, a first column names it.
    """
    if not any(table.rows for _, table in tables):
        return None
    if len(tables) == 1:
        return tables[0][1]
    columns: tuple[Column, ...] = (("result", "text"), *tables[0][1].columns)
    return Table(columns, tuple((name, *row) for name, table in tables for row in table.rows))
