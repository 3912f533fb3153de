"""The event log: the same bytes everywhere, complete or written again, and the user's own files instead."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import dask
import dask.local
import pandas as pd
import pytest

from gilbench.errors import UserError
from gilbench.targets.builtin import all_workloads
from gilbench.targets.workload import NO_ANSWER, SIZES, Job
from gilbench.workloads._events import COLUMNS, SHAPES, ensure_events, event_facts, event_files

READERS = [
    workload
    for workload in all_workloads().values()
    if workload.family == "csv_files" or workload.name == "dataframe_groupby"
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def use_own(monkeypatch: pytest.MonkeyPatch, pattern: Path | str) -> None:
    monkeypatch.setenv("GILBENCH_DATA", str(pattern))


def run_sync(job: Job) -> list[object]:
    return list(dask.compute(*job.collections, scheduler=dask.local.get_sync))


def test_same_bytes_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    for folder in ("one", "two"):
        monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / folder))
        written.append([path.read_bytes() for path in ensure_events("tiny")])
    assert written[0] == written[1]
    assert len(set(written[0])) == len(written[0]), "each file has a seed of its own"


def test_default_cache_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GILBENCH_CACHE")
    monkeypatch.chdir(tmp_path)
    assert all(path.is_relative_to(tmp_path / ".cache" / "gilbench") for path in ensure_events("tiny"))


def test_looks_like_the_log_it_imitates(cache: Path) -> None:
    path = ensure_events("tiny")[0]
    table = pd.read_csv(path, dtype=str)
    assert tuple(table.columns) == COLUMNS
    for column, pattern in {
        "event_time": r"2019-10-0\d \d\d:\d\d:\d\d UTC",
        "event_type": "view|cart|purchase",
        "category_code": r"[a-z_]+(\.[a-z_]+)+",
        "brand": "[a-z]+",
        "price": r"\d+\.\d\d",
        "user_session": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    }.items():
        assert table[column].dropna().map(re.compile(pattern).fullmatch).all(), column
    assert table["event_time"].is_monotonic_increasing
    assert 0 < table["brand"].isna().sum() < table["category_code"].isna().sum() < len(table)
    assert b'"' not in path.read_bytes()


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_facts_are_what_a_reader_finds(cache: Path, size: str) -> None:
    facts = event_facts(size)
    assert facts is not None
    for path, fact in zip(ensure_events(size), facts, strict=True):
        table = pd.read_csv(path)
        assert fact["rows"] == len(table)
        assert fact["price_max"] / 100 == table["price"].max()
        assert fact["max"] == {name: table[name].max() for name in fact["max"]}
        assert fact["present"] == {name: table[name].count() for name in fact["present"]}
        sums = (table["price"] * 100).round().astype(int).groupby(table["event_type"]).sum()
        assert fact["price_sums"] == sums.to_dict()


def test_default_files_are_large_enough_for_pandas_parallel_parser(events_cache: None) -> None:
    files = ensure_events("default")
    assert len(files) == 4
    assert all(path.stat().st_size > 5 * 2**20 for path in files)


def test_sizes_are_those_of_workloads() -> None:
    assert tuple(SHAPES) == SIZES


def test_written_once(cache: Path) -> None:
    before = [path.stat().st_mtime_ns for path in ensure_events("tiny")]
    assert [path.stat().st_mtime_ns for path in ensure_events("tiny")] == before


def truncate(folder: Path) -> None:
    path = folder / "events-1.csv"
    path.write_bytes(path.read_bytes()[:-5])


def break_facts(folder: Path) -> None:
    (folder / "facts.json").write_text('{"files": [', encoding="utf-8")


def forget_a_file_in_facts(folder: Path) -> None:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    facts["files"].pop()
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        break_facts,
        forget_a_file_in_facts,
        lambda folder: (folder / "events-2.csv").unlink(),
        lambda folder: (folder / "facts.json").unlink(),
        lambda folder: (folder / "facts.json").write_text("[]", encoding="utf-8"),
        shutil.rmtree,
    ],
    ids=["truncated", "facts-broken", "facts-short", "file-gone", "facts-gone", "facts-other", "all-gone"],
)
def test_damaged_files_are_written_again(cache: Path, damage: object) -> None:
    files = ensure_events("tiny")
    before = [path.read_bytes() for path in files]
    facts = event_facts("tiny")
    assert callable(damage)
    damage(files[0].parent)
    assert [path.read_bytes() for path in ensure_events("tiny")] == before
    assert event_facts("tiny") == facts
    left = {path.name for path in files[0].parent.iterdir()}
    assert left == {path.name for path in files} | {"facts.json"}, "no temporary file is left behind"


def test_cache_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot write the event log to .*; set GILBENCH_CACHE") as raised:
        ensure_events("tiny")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("workload", READERS, ids=lambda workload: workload.name)
@pytest.mark.parametrize("size", ["tiny", "large"])
def test_own_files_replace_generated_ones_at_every_size(
    workload: object, size: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    (own / "2019").mkdir(parents=True)
    for number, path in enumerate(ensure_events("tiny")[:2]):
        shutil.copy(path, own / "2019" / f"{number}.csv")
    shutil.rmtree(cache)
    use_own(monkeypatch, own / "**" / "*.csv")
    job = workload.build(size=size)  # type: ignore[attr-defined]
    assert job.answer is NO_ANSWER
    result = run_sync(job)
    assert len(result) == (1 if workload.name == "dataframe_groupby" else 2)  # type: ignore[attr-defined]
    assert not cache.exists()


def test_own_files_may_be_relative_to_the_current_or_home_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ensure_events("tiny")[0], tmp_path / "mine.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for pattern in ("m*.csv", "~/mine.csv"):
        use_own(monkeypatch, pattern)
        assert event_files("small") == [str(tmp_path / "mine.csv")], "absolute: tasks may run in another folder"


def test_own_files_may_be_compressed(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = ensure_events("tiny")[0].read_bytes()
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(content))
    use_own(monkeypatch, tmp_path / "*.gz")
    job = all_workloads()["csv_max_price"].build(size="default")
    assert run_sync(job) == [pd.read_csv(tmp_path / "mine.csv.gz")["price"].max()]


def test_no_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.csv").mkdir()
    use_own(monkeypatch, tmp_path / "*.csv")
    with pytest.raises(UserError, match="no file matches GILBENCH_DATA="):
        event_files("default")


def test_own_file_without_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("price,color\n1,red\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("cost,color\n1,red\n", encoding="utf-8")
    use_own(monkeypatch, tmp_path / "*.csv")
    with pytest.raises(UserError, match=r"b\.csv \(from GILBENCH_DATA\) has no column price: it has cost, color"):
        all_workloads()["csv_max_price"].build(size="default")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\xd8"], ids=["empty", "not-text"])
def test_own_file_that_is_no_csv(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    use_own(monkeypatch, tmp_path / "*.csv")
    with pytest.raises(UserError, match=r"cannot read .*a\.csv \(from GILBENCH_DATA\) as CSV") as raised:
        event_files("default")
    assert "\n" not in str(raised.value)
