"""Tables of a summary: every format, golden where it matters, and hostile names shown as text."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.errors import Failure
from gilbench.explain.tutorial import FAILS, DecidedClaim
from gilbench.report import Of, Page, formats
from gilbench.results.summary import CaseSummary, FailedCase, Summary
from gilbench.stats import Estimate
from tests import scripted
from tests.scripted import MACHINE

HOSTILE = "<script>alert('x')</script>|\x1b[31m`*_[a](b)"


def summary(name: str = "sum_of_squares") -> Summary:
    sync, threads = Case(name, "default", "sync"), Case(name, "default", "threads", 1, 2)

    def cased(case: Case, value: float, speedup: Estimate | None, flags: tuple[str, ...] = ()) -> CaseSummary:
        figure = Estimate(value, value * 0.95, value * 1.05, 3)
        return CaseSummary(case, "loops", figure, speedup, (value,) * 3, None, None, 8, 1, 0, flags, "precision")

    cases = (cased(sync, 0.1, None), cased(threads, 0.05, Estimate(2.0, 1.9, 2.1, 3), ("a flag",)))
    failures = (FailedCase(Case(name, "default", "loky", 2, 1), Failure("raised", "ValueError: no")),)
    return Summary("r", MACHINE, cases, failures, ("the control does not scale",))


def test_the_text_table() -> None:
    lines = formats("result")["text"](summary(), Page(200)).splitlines()
    assert lines[0] == "r: Test CPU, 2 CPUs, Python 3.11.7, dask 2026.8.0, pandas 3.1.1, numpy 2.4.6"
    assert lines[1].split()[:4] == ["workload", "scheduler", "workers", "median"]
    assert "100 ms" in lines[2] and "95.0 ms to 105 ms" in lines[2]
    assert "size" not in lines[1], "only one was measured"
    assert "2.00x" in lines[3] and "1.90x to 2.10x" in lines[3] and "a flag" in lines[3]
    assert lines[-2:] == [
        "failed: sum_of_squares:default:loky:2x1: raised: ValueError: no",
        "warning: the control does not scale",
    ]


def test_plain_output_has_no_escape_codes_and_a_terminal_gets_colors() -> None:
    assert "\x1b" not in formats("result")["text"](summary(), Page(200))
    assert "\x1b[32m" in formats("result")["text"](summary(), Page(200, color=True))


def test_a_narrow_window_keeps_what_matters_whole() -> None:
    lines = formats("result")["text"](summary(), Page(80)).splitlines()
    assert max(map(len, lines[1:4])) <= 80
    assert lines[3].split()[:2] == ["sum_of_squares", "threads"]
    assert "1.90x to 2.10x" in lines[3]


def test_markdown_is_a_table_with_as_many_cells_in_each_row() -> None:
    rows = [line for line in formats("result")["markdown"](summary(), Page()).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert len({row.count("|") for row in rows}) == 1


def test_csv_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(formats("result")["csv"](summary(), Page()))))
    assert [row["scheduler"] for row in rows] == ["sync", "threads", "loky"]
    assert (float(rows[1]["speedup"]), rows[0]["speedup"], rows[2]["notes"]) == (2.0, "", "raised: ValueError: no")
    assert all(None not in row and None not in row.values() for row in rows)


def test_json_names_what_failed() -> None:
    (failed,) = json.loads(formats("result")["json"](summary(), Page()))["failures"]
    assert set(failed) == {"case", "kind", "reason"}
    assert (failed["case"]["scheduler"], failed["kind"], failed["reason"]) == ("loky", "raised", "ValueError: no")


def test_json_has_no_infinities() -> None:
    case = summary().cases[0]
    odd = CaseSummary(case.case, "f", Estimate(0.1, 0.0, float("inf"), 1), None, (0.1,), None, None, 1, 1, 0, (), "x")
    data = json.loads(formats("result")["json"](Summary("r", {}, (odd,), ()), Page()), parse_constant=pytest.fail)
    assert data["cases"][0]["estimate"] == {"value": 0.1, "low": 0.0, "high": None, "n": 1}


@pytest.mark.parametrize("name", formats("result"))
def test_hostile_names_are_shown_as_text(name: str) -> None:
    text = formats("result")[name](summary(HOSTILE), Page(300))
    if name == "markdown":
        assert "<script>" not in text
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    if name == "json":
        assert json.loads(text)["cases"][0]["case"]["workload"] == HOSTILE


HOSTILE_DATA: dict[Of, object] = {
    "result": replace(
        summary(scripted.HOSTILE),
        name=scripted.HOSTILE,
        machine={**MACHINE, "cpu_model_name": scripted.HOSTILE},
        cases=tuple(
            replace(case, family=scripted.HOSTILE, flags=(scripted.HOSTILE,), stop=scripted.HOSTILE)
            for case in summary(scripted.HOSTILE).cases
        ),
        failures=(FailedCase(Case("w", "default", "sync"), Failure(scripted.HOSTILE, scripted.HOSTILE)),),
        warnings=(scripted.HOSTILE,),
    ),
    "verdicts": scripted.verdicts(scripted.HOSTILE),
    "claims": [DecidedClaim("lazy", "A claim.", FAILS, f"{scripted.HOSTILE} is slow")],
}


@pytest.mark.parametrize(("of", "name"), [(of, name) for of in HOSTILE_DATA for name in formats(of)])
def test_no_format_sends_control_characters_to_the_terminal(of: Of, name: str) -> None:
    text = formats(of)[name](HOSTILE_DATA[of], Page(300))
    assert not {character for character in text if unicodedata.category(character) == "Cc"} - set("\n\r\t")
