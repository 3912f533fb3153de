"""The file of a history: lines that git can merge, read with care, and never damaged."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.errors import UserError
from gilbench.results.history_file import Entry, append, as_line, entries_of, is_history, read
from gilbench.results.verdicts import Revision
from tests.scripted import HOSTILE, verdicts

COMMITS = [Revision(f"{index:040x}", f"2026-01-{index + 1:02d}T00:00:00Z") for index in range(9)]


def entry(head: int = 1, base: int = 0, ratio: float = 1.1, benchmark: str = "b") -> Entry:
    return Entry(benchmark, COMMITS[base], COMMITS[head], ratio, ratio * 0.98, ratio * 1.02, 0.004, 10)


def test_what_is_appended_is_read_again_once(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    assert append(path, [entry(1), entry(2), entry(1)]) == 2
    assert append(path, [entry(2), entry(3, benchmark=HOSTILE)]) == 1
    assert read(path) == [entry(1), entry(2), entry(3, benchmark=HOSTILE)]
    assert len(path.read_text().splitlines()) == 3
    assert append(path, [entry(1)]) == 0
    assert is_history(path)


def test_a_last_line_without_an_end_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text(as_line(entry(1)))
    append(path, [entry(2)])
    assert read(path) == [entry(1), entry(2)]


def test_two_branches_merge_by_themselves(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    path = tmp_path / "h.jsonl"
    git("init")
    (tmp_path / ".gitattributes").write_text("h.jsonl merge=union\n")
    append(path, [entry(1)])
    git("add", ".")
    git("commit", "-m", "a")
    git("checkout", "-b", "other")
    append(path, [entry(2), entry(4)])
    git("commit", "-am", "b")
    git("checkout", "main")
    append(path, [entry(3), entry(4)])
    git("commit", "-am", "c")
    git("merge", "other", "-m", "d")
    assert sorted(found.head.commit for found in read(path)) == [COMMITS[index].commit for index in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not a line of a history"),
        ("[]", "is not a line of a history"),
        ('{"a": 1}', "is not a line of a history"),
        (as_line(entry()).replace('"ratio": 1.1', '"ratio": -1'), "is not a line of a history"),
        (as_line(entry()).replace('"ratio": 1.1', '"ratio": NaN'), "is not a line of a history"),
        (as_line(entry()).replace("2026-01-02T", "yesterday "), "is not a line of a history"),
        (as_line(entry()).replace('"b"', "7"), "is not a line of a history"),
        (as_line(replace(entry(), head=COMMITS[0])), "is not a line of a history"),
        ("<<<<<<< HEAD", "is a mark of a merge conflict"),
        (as_line(entry()).replace('"gilbench_history": 1', '"gilbench_history": 2'), "upgrade gilbench"),
    ],
)
def test_a_line_that_is_none_is_named_and_nothing_is_lost(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text(f"{as_line(entry(2))}\n{line}\n")
    before = path.read_bytes()
    for attempt in (lambda: read(path), lambda: append(path, [entry(3)])):
        with pytest.raises(UserError, match=rf"h\.jsonl:2 .*{said}") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_files_that_cannot_be_read_or_written_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gilbench check --history FILE"):
        read(tmp_path / "none")
    with pytest.raises(UserError, match="cannot write"):
        append(tmp_path / "none" / "h.jsonl", [entry()])
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not text"):
        read(tmp_path / "binary")
    assert not is_history(tmp_path)


def test_a_check_gives_an_entry_for_each_case_with_an_interval() -> None:
    found = entries_of(replace(verdicts(), revisions=(COMMITS[0], COMMITS[1])))
    assert [one.benchmark for one in found] == ["w-same", "w-slower", "w-slowest", "w-faster", "w-fastest", "w-noisy"]
    assert found[1] == Entry("w-slower", COMMITS[0], COMMITS[1], 1.204, 1.153, 1.257, 0.004, 9)


def test_a_check_that_is_not_of_two_commits_is_refused() -> None:
    for wrong in (verdicts(), replace(verdicts(of="speed-up"), revisions=(COMMITS[0], COMMITS[1]))):
        with pytest.raises(UserError, match="one commit against another"):
            entries_of(wrong)
    with pytest.raises(UserError, match="same commit"):
        entries_of(replace(verdicts(), revisions=(COMMITS[0], COMMITS[0])))


def test_each_line_is_json_with_its_version() -> None:
    data = json.loads(as_line(entry()))
    assert data["gilbench_history"] == 1
    assert data["head"] == {"commit": COMMITS[1].commit, "time": "2026-01-02T00:00:00Z"}
