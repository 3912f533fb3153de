"""The ground that every part stands on: the console, the cache folder, and which machines can be compared."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from gilbench.console import Bar, Lines, progress, terminated_as_interrupted
from gilbench.errors import UserError, check_names
from gilbench.files import cache_environment, cache_folder, write
from gilbench.machine import MEASURED_PACKAGES, ONLY_STATED, differences, fingerprint, obstacles


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# --- The console


def test_a_log_gets_the_news_and_a_terminal_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = {}
    for out in (io.StringIO(), Terminal()):
        with progress(out) as now:
            now.news("the news\x1b[31m")
            now.state(1.0, 2.0, "the state")
        shown[type(now)] = out.getvalue()
    assert shown[Lines] == "the news?[31m\n"
    assert "the state" in shown[Bar] and "the news" not in shown[Bar]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_interrupts_only_inside_and_only_in_the_main_thread() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert signal.getsignal(signal.SIGTERM) == before
    seen = []

    def elsewhere() -> None:
        with terminated_as_interrupted():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


# --- The cache folder


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_lies_in_the_current_folder_unless_the_user_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GILBENCH_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("GILBENCH_CACHE", value)
    assert cache_folder() == tmp_path / ".cache" / "gilbench"


def test_a_process_in_another_folder_gets_the_same_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GILBENCH_CACHE", "mine")
    handed_on = cache_environment()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    monkeypatch.setenv("GILBENCH_CACHE", handed_on["GILBENCH_CACHE"])
    assert cache_folder() == tmp_path / "mine"


def test_a_cache_in_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GILBENCH_CACHE", "~/cache")
    assert cache_folder() == Path.home() / "cache"


# --- Which machines can be compared


def test_all_but_what_drifts_has_to_be_equal_for_timings_to_be_compared() -> None:
    before = fingerprint()
    for key in before:
        after = {**before, key: "another"}
        assert differences(before, after) == {key: (before[key], "another")}
        assert bool(obstacles(before, after)) == (key not in ONLY_STATED), key
    assert differences(before, dict(before)) == {}


def test_what_one_fingerprint_lacks_is_a_difference() -> None:
    assert differences({"a": 1}, {"a": 1, "b": 2}) == {"b": ("unknown", 2)}
    assert obstacles({"a": 1, "b": 2}, {"a": 1}) == {"b": (2, "unknown")}


def test_the_versions_of_what_is_measured_are_in_the_fingerprint() -> None:
    assert {f"{package}_version" for package in MEASURED_PACKAGES} <= set(fingerprint())


def test_a_folder_is_no_file_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IsADirectoryError):
        write(Path(), b"")
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_is_followed_by_what_is_like_it_or_by_all() -> None:
    with pytest.raises(UserError, match="no size is named 'smal': did you mean small"):
        check_names("size", ["smal"], ["small", "large"])
    with pytest.raises(UserError, match="no size is named 'x': choose from small, large"):
        check_names("size", ["x"], ["small", "large"])
