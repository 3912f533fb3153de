"""One number, one verdict: what table, charts, claims, page and README say of the reference result is the same everywhere."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from gilbench.charts.speed import speedup
from gilbench.explain import chains, findings, tutorial, winners
from gilbench.explain.winners import EITHER, SAME, UNDECIDED, Contest
from gilbench.report import Page, csv_format, json_format, markdown, text
from gilbench.report.columns import CASE_COLUMNS, case_row
from gilbench.report.page import content
from gilbench.results.result_file import load
from gilbench.results.summary import Summary, summarize
from gilbench.units import interval, times

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarize(load(ROOT / "results" / "reference" / "two-cores.json"))


@pytest.fixture(scope="module")
def contests(summary: Summary) -> list[Contest]:
    return winners.contests(summary)


@pytest.fixture(scope="module")
def page(summary: Summary) -> content.Result:
    return content.result_of(summary, 0)


def test_every_speedup_is_the_same_number_in_every_format(summary: Summary, page: content.Result) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_format.of_result(summary, Page()))))
    data = json.loads(json_format.of_result(summary, Page()))["cases"]
    table = text.of_result(summary, Page(250))
    cards = {card.about.case: card for workload in page.workloads for card in workload.cases}
    assert len(rows) == len(data) == len(summary.cases)
    assert set(cards) == {case.case for case in summary.compared}
    for case, row, plain in zip(summary.cases, rows, data, strict=True):
        assert float(row["median"]) == plain["estimate"]["value"] == case.estimate.value
        assert case.case not in cards or cards[case.case].about is case
        if case.speedup:
            assert float(row["speedup"]) == plain["speedup"]["value"] == case.speedup.value
            cells = dict(zip(CASE_COLUMNS, case_row(case, summary.level), strict=True))
            assert (cells["speed-up"], cells["interval"]) == (
                times(case.speedup.value),
                interval(case.speedup, "ratio"),
            )
            assert cells["interval"] in table


def test_a_winner_is_certain_and_nothing_else_is_called_one(contests: list[Contest]) -> None:
    for contest in contests:
        rest = {kind: duel for kind, duel in contest.duels.items() if not duel.low > 1}
        assert (contest.winner == contest.best) == (not rest and not contest.at_fault), contest.label
        if contest.winner == SAME:
            assert all(duel.low > 1 / winners.MARGIN and duel.high < winners.MARGIN for duel in rest.values())
    assert {contest.winner for contest in contests} <= {
        "serial",
        "threads",
        "processes",
        "mix",
        SAME,
        EITHER,
        UNDECIDED,
    }


def test_chart_page_and_findings_count_the_same_winners(
    summary: Summary, contests: list[Contest], page: content.Result
) -> None:
    count = Counter(contest.winner for contest in contests)
    message = speedup.message(contests)
    assert page.answer == message.replace(r"\$", "$")
    for words, kind in (("no difference in {}", SAME), ("either suits {}", EITHER), ("{} undecided", UNDECIDED)):
        assert (words.format(count[kind]) in message) == bool(count[kind])
    figures = {found.title: found.figure for found in findings.of_summary(summary)}
    of = f"of {len(contests)} workloads"
    for title, kind in (
        ("Use threads for", "threads"),
        ("Use processes for", "processes"),
        ("Stay with sync for", "serial"),
        ("It makes no difference for", SAME),
        ("This result cannot decide for", UNDECIDED),
    ):
        assert figures.get(title, f"{count[kind]} {of}") == f"{count[kind]} {of}", title
    assert len(figures.keys() & {"Use threads for", "Use processes for", "This result cannot decide for"}) >= 2


def test_the_page_names_the_same_winner_in_each_row(contests: list[Contest], page: content.Result) -> None:
    rows = {(row.workload, row.pinned, row.size): row for row in reversed(page.rows)}
    compared = 0
    for contest in contests:
        cases = [case.case for case in contest.fastest.values() if case.case.scheduler != "default"]
        row = rows[cases[0].workload, cases[0].pinned, cases[0].size]
        if {case.parallelism for case in cases} == {row.workers}:
            compared += 1
            assert row.best == {"serial": "sync", "mix": "a mix"}.get(contest.winner, contest.winner), contest.label
    assert compared > len(contests) / 2


def test_causes_multiply_to_the_speedups_in_the_table_and_none_is_impossible(summary: Summary) -> None:
    by_case = {case.case: case for case in summary.cases}
    found = chains.chains(summary)
    assert found
    for chain in found:
        as_is = by_case[chains.arms_of(chain.case)[-1]]
        assert as_is.speedup is not None
        assert chain.speedup.value == pytest.approx(as_is.speedup.value)
        assert not chain.impossible, chain.case.name


def test_the_claims_in_the_readme_are_those_that_the_result_decides(summary: Summary) -> None:
    claims = markdown.of_claims(tutorial.decide(summary), Page())
    assert claims in (ROOT / "README.md").read_text(encoding="utf-8")
