"""The verdicts on the tutorial's claims: decided from intervals, both ways, and never from hope."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.explain.tutorial import CLAIMS, FAILS, HOLDS, UNKNOWN, decide
from gilbench.report import Page, formats
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate, quotient
from gilbench.targets.builtin import all_workloads
from tests.scripted import MACHINE


def case(workload: str, scheduler: str, value: float, width: float = 0.02, **facts: object) -> CaseSummary:
    workers, threads = {"sync": (1, 1), "threads": (1, 2), "default": (1, 2)}.get(scheduler, (2, 1))
    measure = str(facts.pop("measure", "time"))
    known = all_workloads().get(workload)
    shape = facts.pop("shape", (workers, threads))
    figure = Estimate(value, value * (1 - width), value * (1 + width), 5)
    return CaseSummary(
        case=Case(workload, "default", scheduler, *shape, True, measure),  # type: ignore[misc]
        family=known.family if known else "",
        estimate=figure,
        speedup=None if scheduler == "sync" else quotient(Estimate(1.0, 1.0, 1.0, 5), figure),
        observations=(value,) * 5,
        opening=None,
        first=None,
        tasks=int(facts.pop("tasks", 8)),  # type: ignore[call-overload]
        workers_used=2,
        moved_bytes=int(facts.pop("moved_bytes", 0)),  # type: ignore[call-overload]
        flags=(),
        stop="precision",
        **facts,  # type: ignore[arg-type]
    )


def verdict(identifier: str, *cases: CaseSummary, **machine: str) -> str:
    summary = Summary("r", {**MACHINE, **machine}, cases, ())
    return next(claim.verdict for claim in decide(summary) if claim.id == identifier)


def test_every_claim_that_a_workload_names_exists_and_every_claim_is_measured_by_one() -> None:
    named = {claim for workload in all_workloads().values() for claim in workload.claims}
    assert named == set(CLAIMS)


def test_an_empty_result_cannot_tell_and_says_what_to_run() -> None:
    for decided in decide(Summary("r", {}, (), ())):
        assert decided.verdict == UNKNOWN
        assert "gilbench run" in decided.evidence or "does not say" in decided.evidence
        assert decided.claim.endswith(".")


@pytest.mark.parametrize(("threads", "expected"), [(0.99, HOLDS), (0.52, FAILS), (0.83, UNKNOWN)])
def test_a_loop_on_threads(threads: float, expected: str) -> None:
    assert (
        verdict("loop-gil", case("sum_of_squares", "sync", 1.0), case("sum_of_squares", "threads", threads)) == expected
    )


def test_a_loop_on_threads_with_a_wide_interval_cannot_tell() -> None:
    wide = case("sum_of_squares", "threads", 0.9, width=0.5)
    assert verdict("loop-gil", wide) == UNKNOWN


def test_threads_win_on_csv_only_where_they_win_everywhere() -> None:
    text = [case("csv_text", "sync", 1.0), case("csv_text", "threads", 0.55), case("csv_text", "processes", 0.65)]
    held = [case("csv_text_object", s, t) for s, t in (("sync", 1.0), ("threads", 1.1), ("processes", 0.6))]
    close = [case("csv_numbers", s, t) for s, t in (("sync", 1.0), ("threads", 0.6), ("processes", 0.6))]
    assert verdict("csv-threads", *text) == HOLDS
    assert verdict("csv-threads", *text, *close) == UNKNOWN
    assert verdict("csv-threads", *text, *close, *held) == FAILS


@pytest.mark.parametrize(
    ("held", "expected"),
    [((0.2, 0.1, 0.3), HOLDS), ((0.9, 0.85, 0.95), FAILS), ((0.5, 0.4, 0.6), UNKNOWN), (None, UNKNOWN)],
)
def test_read_csv_is_judged_by_the_gil_it_holds_and_not_by_who_wins(
    held: tuple[float, float, float] | None, expected: str
) -> None:
    text = [case("csv_text", s, t) for s, t in (("sync", 1.0), ("threads", 1.5), ("processes", 0.7))]
    found = {"gil": {"sync": dict(zip(("held", "low", "high"), held, strict=True))}} if held else {}
    summary = Summary("r", MACHINE, tuple(text), (), probes=(Probing("csv_text", "default", found, {}),))
    (decided,) = [claim for claim in decide(summary) if claim.id == "csv-gil"]
    assert decided.verdict == expected


@pytest.mark.parametrize(("processes", "expected"), [(4.0, HOLDS), (1.0, FAILS)])
def test_memory(processes: float, expected: str) -> None:
    cases = [
        case("shared_array", "threads", 64e6, measure="memory"),
        case("shared_array", "processes", 64e6 * processes, measure="memory"),
    ]
    assert verdict("memory", *cases) == expected


@pytest.mark.parametrize(("processes", "expected"), [(4.0, HOLDS), (1.0, FAILS), (1.21, UNKNOWN)])
def test_copies(processes: float, expected: str) -> None:
    cases = [case("return_bytes", "threads", 1.0), case("return_bytes", "processes", processes, moved_bytes=1 << 20)]
    assert verdict("copy-back", *cases) == expected


def collection(default: float, ran_on: str = "threads", name: str = "array_mean") -> list[CaseSummary]:
    return [
        case(name, "default", default, ran_on=ran_on),
        case(name, "threads", 1.0, ran_on="threads"),
        case(name, "processes", 1.5, ran_on="processes"),
    ]


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (collection(1.5), HOLDS),
        (collection(1.0, ran_on="processes"), FAILS),
        (collection(1.0), FAILS),  # the default is as the tutorial says, and always the best
        (collection(1.05), UNKNOWN),
        (collection(1.0) + collection(3.0, "processes", "bag_word_count"), HOLDS),
    ],
)
def test_defaults(cases: list[CaseSummary], expected: str) -> None:
    assert verdict("defaults", *cases) == expected


def test_overrides_must_run_on_the_scheduler_they_name() -> None:
    good = collection(1.0)
    assert verdict("override", *good) == HOLDS
    assert verdict("override", *good[:2], replace(good[2], ran_on="threads")) == FAILS


def test_a_mix_of_threads_and_processes() -> None:
    mix = case("sort", "distributed", 0.6, shape=(2, 2), ran_on="cluster 2x2")
    local = case("sort", "threads", 0.6, ran_on="threads")
    assert verdict("cluster", mix, local) == HOLDS
    assert verdict("cluster", replace(mix, ran_on="cluster 2x1"), local) == FAILS
    assert verdict("cluster", mix, replace(local, ran_on="processes and threads")) == FAILS
    assert verdict("cluster", local) == UNKNOWN


def test_lazy() -> None:
    sleeping = case("sleep", "sync", 0.1, build=Estimate(0.001, 0.0009, 0.0011, 3))
    assert verdict("lazy", sleeping) == HOLDS
    assert verdict("lazy", replace(sleeping, build_tasks=3)) == FAILS


def test_shared_work() -> None:
    once, twice = case("together", "sync", 1.0, tasks=11), case("separately", "sync", 1.9, tasks=20)
    assert verdict("graph", once, twice) == HOLDS
    assert verdict("graph", once, replace(twice, tasks=11)) == FAILS
    assert verdict("graph", once, case("separately", "sync", 1.0, tasks=20)) == FAILS


def test_visualize_depends_on_what_is_installed() -> None:
    assert verdict("visualize") == UNKNOWN, "nothing was tried, so nothing failed"
    assert verdict("visualize", graph_drawing="graphviz") == HOLDS


def test_many_csv() -> None:
    assert verdict("many-csv", case("csv_max_price", "threads", 0.6), case("csv_max_price", "processes", 0.9)) == HOLDS
    assert verdict("many-csv", case("csv_max_price", "threads", 0.99)) == FAILS


def test_the_ratio_of_two_estimates() -> None:
    found = quotient(Estimate(2.0, 1.8, 2.2, 4), Estimate(1.0, 1.0, 1.0, 3))
    assert (found.value, found.n) == (2.0, 3)
    assert (found.low, found.high) == (pytest.approx(1.8), pytest.approx(2.2))
    assert quotient(Estimate(2.0, 0.0, math.inf, 1), Estimate(1.0, 0.9, 1.1, 3)).high == math.inf


def test_formats() -> None:
    claims = decide(Summary("r", MACHINE, tuple(collection(1.5)), ()))
    text = formats("claims")["text"](claims, Page(80))
    assert max(map(len, text.splitlines()[1::2])) <= 110
    assert "\x1b" not in text
    assert "| **holds** |" in formats("claims")["markdown"](claims, Page())
    assert '"verdict": "holds"' in formats("claims")["json"](claims, Page())
    assert set(formats("claims")) == {"text", "markdown", "json"}


def test_json_keeps_its_field_names() -> None:
    claims = json.loads(formats("claims")["json"](decide(Summary("r", MACHINE, tuple(collection(1.5)), ())), Page()))
    assert [claim["id"] for claim in claims] == list(CLAIMS)
    assert {tuple(claim) for claim in claims} == {("id", "claim", "verdict", "evidence", "chart")}
