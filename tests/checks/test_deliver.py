"""Verdicts in files: those that were asked for, the CI job's summary, and the results folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gilbench.checks.deliver import JOB_SUMMARY, keep, to_files
from gilbench.errors import UserError
from gilbench.report import Page, formats
from gilbench.results.result_file import load
from gilbench.results.verdicts import load as load_verdicts
from tests.results.test_result_file import a_result
from tests.scripted import HOSTILE, verdicts

NONE: Mapping[str, Path | None] = {"markdown": None, "junit": None, "json": None}
NOW = "20260102-030405"


@pytest.fixture(autouse=True)
def no_job_and_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JOB_SUMMARY, raising=False)
    monkeypatch.setattr("time.strftime", lambda format, *when: NOW)


def refused(options: Mapping[str, Path | None]) -> str:
    with pytest.raises(UserError) as caught:
        to_files(verdicts(), options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- Files


def test_nothing_is_written_where_nothing_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(JOB_SUMMARY, "")
    to_files(verdicts(), NONE)
    assert list(tmp_path.iterdir()) == []


def test_each_format_goes_into_its_file(tmp_path: Path) -> None:
    to_files(verdicts(), {name: tmp_path / name for name in NONE})
    assert {path.name for path in tmp_path.iterdir()} == set(NONE)
    for name in NONE:
        assert (tmp_path / name).read_text(encoding="utf-8") == formats("verdicts")[name](verdicts(), Page())


@pytest.mark.parametrize("name", NONE)
def test_one_file_alone(tmp_path: Path, name: str) -> None:
    to_files(verdicts(), {**NONE, name: tmp_path / "out"})
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_of_an_earlier_check_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text("old " * 10_000)
    to_files(verdicts(), {**NONE, "json": tmp_path / "v.json"})
    assert json.loads((tmp_path / "v.json").read_text())["base"] == "w"


def test_hostile_text_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOB_SUMMARY, str(tmp_path / "summary"))
    to_files(verdicts(HOSTILE), {name: tmp_path / name for name in NONE})
    ElementTree.fromstring((tmp_path / "junit").read_bytes())
    assert json.loads((tmp_path / "json").read_text())["base"] == HOSTILE
    assert "<script>" not in (tmp_path / "summary").read_text(encoding="utf-8")


def test_the_jobs_summary_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("# of another step\n", encoding="utf-8")
    monkeypatch.setenv(JOB_SUMMARY, str(path))
    to_files(verdicts(), NONE)
    to_files(replace(verdicts(), lines=()), NONE)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# of another step\n### gilbench: 2 regression")
    assert "### gilbench: nothing was measured" in text


def test_what_cannot_be_written_is_one_line_and_all_others_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("kept")
    monkeypatch.setenv(JOB_SUMMARY, str(tmp_path / "summary.md"))
    options = {
        "markdown": tmp_path / "none" / "v.md",
        "junit": tmp_path / "file" / "v.xml",
        "json": tmp_path / "v.json",
    }
    said = refused(options)
    assert f"cannot write {options['markdown']}: No such file or directory" in said
    assert f"cannot write {options['junit']}: Not a directory" in said
    assert {path.name for path in tmp_path.iterdir()} == {"file", "v.json", "summary.md"}, "no half of a file is left"
    assert (tmp_path / "file").read_text() == "kept"


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOB_SUMMARY, str(tmp_path))
    assert f"cannot write {tmp_path}" in refused({**NONE, "json": tmp_path / "v.json"})
    assert (tmp_path / "v.json").exists()


@pytest.mark.parametrize("name", [".", "", "/", "folder"])
def test_a_folder_in_place_of_a_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    assert "cannot write" in refused({**NONE, "markdown": Path(name), "json": tmp_path / "v.json"})
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "v.json"}


# --- The results folder


def test_both_results_and_the_verdicts_are_kept_together(tmp_path: Path) -> None:
    path = keep(tmp_path / "results", verdicts(), [a_result("base"), a_result("head", seed=2)])
    assert path == tmp_path / "results" / "checks" / NOW / "verdicts.json"
    assert {file.name for file in path.parent.iterdir()} == {"base.json", "head.json", "verdicts.json"}
    assert repr(load_verdicts(path)) == repr(verdicts())
    base, head = (load(path.with_name(f"{arm}.json")) for arm in ("base", "head"))
    assert (base.name, base.plan) == ("base", a_result("base").plan)
    assert (head.name, head.plan.seed) == ("head", 2)
    assert len(base.observations) == len(a_result("base").observations)


def test_two_checks_in_one_second_are_both_kept(tmp_path: Path) -> None:
    paths = [keep(tmp_path, verdicts(text), [a_result("base")]) for text in ("first", "second", "third")]
    assert len(set(paths)) == 3
    assert [load_verdicts(path).base for path in paths] == ["first", "second", "third"]
    assert all((path.parent / "base.json").exists() for path in paths)
    assert all(path.parent.name.startswith(NOW) for path in paths)


def test_a_kept_check_is_not_taken_for_the_newest_result(tmp_path: Path) -> None:
    keep(tmp_path, verdicts(), [a_result("base")])
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize("folder", ["file", "file/results"])
def test_a_results_folder_that_cannot_be_made_is_one_line(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^cannot keep the results in .*file") as caught:
        keep(tmp_path / folder, verdicts(), [a_result("base")])
    assert "\n" not in str(caught.value)
