"""Charts in figures, and CSV that a spreadsheet cannot take for formulas."""

from __future__ import annotations

import csv
import io
import math

import pytest

from gilbench import charts
from gilbench.charts.table import Table
from gilbench.report.page import tables
from gilbench.stats import Estimate
from tests.charts import chart_data

WITH_TABLE = [name for name, chart in charts.all_charts().items() if chart.tabulate]


def test_charts_state_their_own_tables() -> None:
    assert set(WITH_TABLE) >= {
        "scaling", "task_cost", "bytes_moved", "memory", "cold_warm", "regret", "gil", "traffic", "granularity",
        "timeline",
    }  # fmt: skip


@pytest.mark.parametrize("name", WITH_TABLE)
def test_every_table_has_a_cell_for_every_column(name: str) -> None:
    for results in ([chart_data.realistic(full=False)], [chart_data.realistic(full=False, name=name) for name in "ab"]):
        table = charts.all_charts()[name].table(results)
        assert table is not None and table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert (table.columns[0][0] == "result") == (len(results) > 1)
        assert all(any(cells) for cells in tables.cells(table))
        assert len({len(row) for row in csv.reader(io.StringIO(tables.as_csv(table)))}) == 1


def test_a_chart_without_a_table_and_a_result_without_rows_have_none() -> None:
    assert charts.all_charts()["speedup"].table([chart_data.realistic(full=False)]) is None
    assert charts.all_charts()["gil"].table([chart_data.summary([])]) is None


def test_an_estimate_is_three_columns_and_what_is_unknown_is_empty() -> None:
    table = Table(
        (("case", "text"), ("time", "second"), ("bound", "ratio")),
        (("a", Estimate(0.1, 0.09, 0.11, 5), 2.0), ("b", Estimate(0.2, 0.0, math.inf, 1), None), ("c", None, math.nan)),
    )
    rows = list(csv.reader(io.StringIO(tables.as_csv(table))))
    assert rows == [
        ["case", "time", "time_low", "time_high", "bound"],
        ["a", "0.1", "0.09", "0.11", "2.0"],
        ["b", "0.2", "0.0", "", ""],
        ["c", "", "", "", ""],
    ]
    assert tables.cells(table) == [
        ["a", "100 ms (90.0 ms to 110 ms)", "2.00x"],
        ["b", "200 ms (interval unknown)", ""],
        ["c", "", ""],
    ]


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"), ("@sum", "'@sum"), ("+x", "'+x"), ("-x", "'-x"), ("\tx", "'\tx"), ("\r=1", "'\r=1"),
        ("-1.5", "-1.5"), ("+2", "+2"), ("-inf", "-inf"), ("a=b", "a=b"), ("", ""),
    ],
)  # fmt: skip
def test_formulas_become_text_and_numbers_stay_numbers(cell: str, safe: str) -> None:
    assert tables.guarded(cell) == safe


@pytest.mark.parametrize(
    ("cell", "unit", "text"),
    [(0.5, "share", "50%"), (1234.0, "count", "1,234"), (2.0**20, "byte", "1.00 MiB"), (0.001, "second", "1.00 ms"),
     (1.5, "ratio", "1.50x"), ("text", "text", "text"), (None, "second", ""), (math.inf, "second", "")],
)  # fmt: skip
def test_cells_are_shown_with_their_units(cell: str | float | None, unit: str, text: str) -> None:
    assert tables.show(cell, unit) == text
