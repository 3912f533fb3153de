"""The environment of a child that runs tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilbench.process import child
from gilbench.process.levels import AS_IS


def test_it_has_the_users_variables_those_given_and_what_makes_timings_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setenv("OURS", "mine")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    found = child.environment(5, pinned=True, level=AS_IS, given={"OURS": "ours", "PYTHONHASHSEED": "0"})
    assert (found["MINE"], found["OURS"]) == ("1", "ours")
    assert (found["PYTHONHASHSEED"], found["OMP_NUM_THREADS"]) == ("5", "1"), (
        "not even the user's own come before these"
    )
    assert child.environment(5, pinned=False, level=AS_IS)["OMP_NUM_THREADS"] == "8"


def test_temporary_files_go_into_the_childs_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "users")
    assert child.environment(5, pinned=True, level=AS_IS)["TMPDIR"] == "users"
    own = child.environment(5, pinned=True, level=AS_IS, temporary=Path("own"))
    assert {own[name] for name in child.TEMPORARY} == {"own"}
