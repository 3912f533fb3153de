"""The page: complete in one file, true to the result, and safe whatever the result contains."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gilbench import charts
from gilbench.commands.group import gilbench
from gilbench.console import printable
from gilbench.explain import series, tutorial
from gilbench.report import formats, html_format
from gilbench.report.page import content, tables
from gilbench.results.result_file import load, save
from gilbench.results.summary import summarize
from tests.charts import chart_data
from tests.report.pages import EVIL, MAKERS, REFERENCE, page, read, small
from tests.results.test_result_file import a_result
from tests.scripted import verdicts

PAGES = [name for name in MAKERS if name not in ("reference", "large", "two")]
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


# --- One file


@pytest.mark.parametrize("which", PAGES)
def test_nothing_is_fetched_and_every_link_leads_somewhere(which: str) -> None:
    found = read(which)
    assert not found.values("src") and not found.tags["link"] and not found.tags["iframe"]
    for address in found.values("href"):
        assert address.startswith(("#", "data:text/csv")), address
        assert address[:1] != "#" or address[1:] in found.ids, address
    assert "url(" not in found.style.replace("url(#", "")
    assert "http" not in page(which).replace("http-equiv", "")


@pytest.mark.parametrize("which", PAGES)
def test_ids_are_unique_and_what_is_labeled_by_them_is_there(which: str) -> None:
    found = read(which)
    assert len(found.ids) == len(set(found.ids))
    for names in found.values("aria-labelledby"):
        assert set(names.split()) <= set(found.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page(which))) <= set(found.ids)


@pytest.mark.parametrize("which", PAGES)
def test_the_policy_lets_nothing_run_but_the_pages_own_style_and_script(which: str) -> None:
    found = read(which)
    policy = next(value for value in found.values("content", "meta") if "default-src" in value)
    for directive, text in (("style-src", found.style), ("script-src", found.script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert (found.tags["script"], found.tags["style"]) == (1, 1)
    assert not found.values("style"), "the policy would ignore it"
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]


def test_the_same_result_gives_the_same_page() -> None:
    assert html_format.render([small()], []) == page("small")


def test_it_stays_small() -> None:
    assert len(page("reference").encode()) < 3 * 2**20
    assert read("reference").tags["article"] == len(summarize(load(REFERENCE)).compared)


# --- What it says


def test_the_answer_comes_first() -> None:
    text = read("small").text
    places = [
        text.index(words)
        for words in (
            "Threads win 1 of 2 workloads, processes 1", "Use processes for", "Use threads for", "Intel(R) Xeon(R)",
            "What the tutorial says", "How much faster", "The charts", "Each dot is a fresh process", "CSV in UTF-8",
            "The seed reproduces",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert "3.11.7, GIL enabled" in text


def test_every_cell_leads_to_its_case() -> None:
    found, summary = read("probed"), chart_data.realistic(full=False)
    cells = {value[1:] for value in found.values("href", "a") if value.startswith("#case-")}
    assert len(cells) == len(summary.timed)
    for case in summary.compared:
        assert case.case.name in found.values("aria-label", "article")


def test_every_claim_is_there_with_its_chart() -> None:
    found = read("reference")
    for claim in tutorial.decide(summarize(load(REFERENCE))):
        assert claim.claim in found.text and printable(claim.evidence) in found.text
        assert f"chart-{claim.chart}" in found.ids


def test_claims_name_charts_that_exist() -> None:
    assert set(tutorial.CHARTS.values()) <= set(charts.names())


def test_every_chart_has_a_text_alternative_and_figures() -> None:
    found = read("probed")
    names = [name.removeprefix("chart-") for name in found.ids if name.startswith("chart-")]
    assert set(names) == set(charts.all_charts()) - {"free_threading"}
    for name in names:
        assert f"{name}-title" in found.ids and f"{name}-desc" in found.ids
    assert set(found.downloads) >= {"scaling", "task_cost", "bytes_moved", "memory", "cold_warm", "regret", "gil"}
    assert "free_threading: this result has no counterpart" in found.text, "what is left out is said, with the reason"


def test_the_charts_that_the_findings_point_to_come_first() -> None:
    names = [name for name in read("probed").ids if name.startswith("chart-")]
    assert names[0] == "chart-speedup"


def test_a_case_shows_its_observations_flags_and_probes() -> None:
    flagged = replace(small().cases[1], flags=("ran on 1 of 2 workers",), stop="max time")
    summary = replace(small(), cases=(small().cases[0], flagged), probes=(chart_data.timelines("loop", 1.0),))
    (result,) = [content.result_of(summary, 0)]
    _, card = result.workloads[0].cases
    assert dict(card.facts)["speed-up over sync"].startswith("0.909x (")
    assert dict(card.facts)["measuring stopped by"] == "max time"
    assert [value for _, value in card.values] == [tables.show(v, "second") for v in flagged.observations]
    assert card.lanes is not None and len(card.lanes.paths) == 2, "a lane for each of two threads"
    assert {name for name, _ in card.why} == {"timeline"}
    assert all("threads" in line and "processes" not in line for _, line in card.why)
    text = html_format.render([summary], [])
    assert "ran on 1 of 2 workers" in text and 'aria-label="Timeline: 16 tasks' in text


def test_the_matrix_has_a_row_for_each_number_of_workers_the_fullest_first() -> None:
    rows = content.result_of(chart_data.realistic(full=False), 0).rows
    of_loop = [row for row in rows if row.workload == "sum_of_squares"]
    assert [row.workers for row in of_loop] == [2, 1]
    assert all(row.baseline and row.baseline.about.case.scheduler == "sync" for row in of_loop)
    assert {row.best for row in rows} <= {
        "threads",
        "processes",
        "sync",
        "either",
        "no difference",
        "undecided",
        "a mix",
        "",
    }


def test_what_failed_is_in_the_matrix_also_where_nothing_else_was_measured() -> None:
    summary = chart_data.realistic(full=False)
    lonely = replace(summary.failures[0], case=replace(summary.failures[0].case, workload="only_fails"))
    rows = content.result_of(replace(summary, failures=(lonely,)), 0).rows
    assert [dict(row.failed) for row in rows if row.workload == "only_fails"] == [
        {series.name_of(lonely.case): [lonely]}
    ]


def test_a_result_of_nothing_and_one_of_single_processes_have_a_page_too() -> None:
    assert "no speed-up over sync measured" in read("empty").text.lower()
    text = read("alone").text
    assert "interval unknown" in text and "nan" not in text.lower().split() and "inf" not in text.lower().split()


# --- Several


def test_results_stand_side_by_side() -> None:
    text = read("two").text
    assert re.search(r"From py3\.11 to py3\.14t, \d+ of \d+ speed-ups differ", text)
    assert "3.14.0, free-threaded build, GIL disabled" in text
    assert "chart-free_threading" in read("two").ids
    results = [content.result_of(small(name), number) for number, name in enumerate("ab")]
    assert [shared.name for shared in content.side_by_side(results)] == [case.case.name for case in small().cases]
    fewer = content.result_of(replace(small(), cases=small().cases[:2]), 1)
    assert len(content.side_by_side([results[0], fewer])) == 2


def test_rows_of_the_same_work_stand_together_in_the_matrix() -> None:
    results = [content.result_of(small(name), number) for number, name in enumerate("ab")]
    rows = [(row.workload, result.summary.name) for result, row in content.matrix_of(results)]
    assert rows == [("loop", "a"), ("loop", "b"), ("sort", "a"), ("sort", "b")]


def test_only_what_results_were_measured_on_is_marked_as_different() -> None:
    other = replace(small(), cases=small().cases[:3], machine={**chart_data.MACHINE, "gil": "disabled"})
    marked = {
        label: differs
        for label, _, differs in content.differing([content.result_of(summary, 0) for summary in (small(), other)])
    }
    assert [label for label, differs in marked.items() if differs] == ["Python"]


def test_results_of_the_same_name_are_told_apart() -> None:
    assert [summary.name for summary in html_format.named_apart([small("a"), small("b"), small("a")])] == [
        "a (1)",
        "b",
        "a (2)",
    ]


def test_verdicts_have_their_table_the_worst_first_and_their_forest() -> None:
    found = read("verdicts")
    assert "2 regression, 2 failed, 2 inconclusive, 2 improvement, 1 same" in found.text
    assert found.text.index("w-slowest regression") < found.text.index("w-noisy inconclusive")
    assert "base: raised: ValueError: w" in found.text
    assert "chart-forest" in found.ids
    rows = list(csv.DictReader(io.StringIO(found.downloads["verdicts-0"])))
    assert [row["case"] for row in rows][:2] == ["w-slowest", "w-slower"]
    assert (float(rows[0]["ratio"]), rows[4]["high"]) == (2.5, "")


def test_several_checks_and_results_share_a_page() -> None:
    found = read("everything")
    assert {"verdicts-0", "verdicts-1", "small-1-cases", "small-2-cases"} <= set(found.downloads)
    assert "base's speed-up over head's" in found.text


# --- Every number


def test_every_number_is_available_as_csv() -> None:
    summary = summarize(load(REFERENCE))
    files = read("reference").downloads
    cases = list(csv.DictReader(io.StringIO(files["two-cores-cases"])))
    assert len(cases) == len(summary.cases)
    assert float(cases[5]["median"]) == summary.cases[5].estimate.value
    observations = list(csv.DictReader(io.StringIO(files["two-cores-observations"])))
    assert [float(row["median"]) for row in observations] == [v for case in summary.cases for v in case.observations]
    assert len(list(csv.DictReader(io.StringIO(files["claims"])))) == len(tutorial.CLAIMS)


def test_the_command_that_repeats_it_stands_at_the_end() -> None:
    text = read("reference").text
    command = "gilbench run --profile default --max-time 6000 --precision 0.005 --max-observations 12 --probe"
    assert f"{command} --seed {load(REFERENCE).plan.seed}" in text[-700:]


# --- Hostile results


def test_what_a_result_holds_is_text_and_nothing_else() -> None:
    found = read("hostile")
    assert found.script == html_format._part("script.js"), "no script but the page's own"
    assert not {"img", "iframe", "object", "embed", "base", "link"} & set(found.tags)
    assert not [name for _, name, _ in found.attributes if name in ("srcdoc", "formaction", "xmlns")]
    shown = printable(" ".join(EVIL.split()))
    assert "<script>" in shown and found.text.count(shown) > 50
    assert "{{ 7*7 }}" in found.text, "what looks like a template is not one"
    assert any(shown in value for value in found.values("aria-label"))


def test_no_control_character_and_no_mark_of_direction_reaches_the_page() -> None:
    assert CONTROL.search(EVIL)
    assert not CONTROL.search(page("hostile"))
    page("hostile").encode()  # and no lone surrogate


def test_csv_from_a_hostile_result_holds_no_formula_and_no_lost_line() -> None:
    files = read("hostile").downloads
    assert len(files) > 5
    for name, text in files.items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name) and not name.startswith(".")
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1, name
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "@", "\t", "\r")), cell
            assert not cell.startswith(("+", "-")) or float(cell) is not None


# --- The command


def call(*arguments: str | Path) -> object:
    return CliRunner().invoke(gilbench, [str(argument) for argument in arguments])


def test_the_command_takes_results_and_verdicts(tmp_path: Path) -> None:
    save(a_result(), tmp_path / "a.json")
    (tmp_path / "v.json").write_text(formats("verdicts")["json"](verdicts(), html_format.Page()))
    done = CliRunner().invoke(
        gilbench, ["report", str(tmp_path / "a.json"), str(tmp_path / "v.json"), "-o", str(tmp_path / "x" / "r.html")]
    )
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'x' / 'r.html'}\n"), done.stderr
    text = (tmp_path / "x" / "r.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and "w-slowest" in text
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["r.html"]


def test_without_a_file_the_newest_result_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(replace(a_result(), name="mine"), tmp_path / "results" / "mine.json")
    assert CliRunner().invoke(gilbench, ["report"]).stdout == "report.html\n"
    assert "mine" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read"),
        ("{", "is not a result file"),
        (json.dumps({"gilbench_verdicts": 1}), "holds no verdicts"),
        (json.dumps({"gilbench_verdicts": 9}), "upgrade gilbench"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    done = CliRunner().invoke(gilbench, ["report", str(path), "-o", str(tmp_path / "r.html")])
    assert done.exit_code == 2 and says in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "r.html").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    save(a_result(), tmp_path / "a.json")
    done = CliRunner().invoke(gilbench, ["report", str(tmp_path / "a.json"), "-o", str(tmp_path)])
    assert done.exit_code == 2 and f"cannot write {tmp_path}" in done.stderr and "-o" in done.stderr
