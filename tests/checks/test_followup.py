"""What follows a check: the commits of its arms, the history, the next step, and profiles of both arms."""

from __future__ import annotations

import cProfile
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.cases.case import Case
from gilbench.checks.arms import Arm, Spec, parse
from gilbench.checks.driven.profiling import functions
from gilbench.checks.followup import profiles
from gilbench.checks.followup.commits import commits_of
from gilbench.commands.group import gilbench
from gilbench.errors import UserError
from gilbench.process.environments import copy_code
from gilbench.results.verdicts import Line
from tests.checks.scripted_check import OPTIONS

Git = Callable[..., str]
TREE = parse("path=.")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository of two commits, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    date = "2026-01-02T03:04:05+02:00"
    environment = {**os.environ, "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        done = subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    run("init")
    for text in ("one", "two"):
        (tmp_path / "a.txt").write_text(text)
        run("add", "a.txt")
        run("commit", "-m", text)
    return run


# --- Commits


def test_two_commits_are_named_with_their_times_in_utc(git: Git) -> None:
    found = commits_of(parse("HEAD~1"), TREE, None)
    assert found is not None
    assert [one.commit for one in found] == [git("rev-parse", "HEAD~1"), git("rev-parse", "HEAD")]
    assert found[0].time == "2026-01-02T01:04:05Z"


@pytest.mark.parametrize(
    ("base", "head", "reason"),
    [
        ("path=/tmp", "HEAD", "is no commit"),
        ("no-such", "HEAD", "no-such"),
        ("HEAD", "path=.", "name another --base"),
        ("python=3.13", "path=.", "differ in their interpreters or packages"),
        ("rev=HEAD~1,with=x==1", "HEAD", "differ in their interpreters or packages"),
    ],
)
def test_arms_that_are_no_commits_have_none_and_cannot_be_kept(git: Git, base: str, head: str, reason: str) -> None:
    assert commits_of(parse(base), parse(head), None) is None
    with pytest.raises(UserError, match=rf"--history holds checks of one commit against another: .*{reason}") as caught:
        commits_of(parse(base), parse(head), Path("h.jsonl"))
    assert "\n" not in str(caught.value)


def test_a_working_tree_with_changes_is_no_commit_but_the_history_itself_may_change(git: Git) -> None:
    Path("h.jsonl").write_text("")
    git("add", "h.jsonl")
    git("commit", "-m", "three")
    Path("h.jsonl").write_text("more")
    Path("untracked").write_text("")
    assert commits_of(parse("HEAD~1"), TREE, Path("h.jsonl")) is not None
    assert commits_of(parse("HEAD~1"), TREE, None) is None
    git("checkout", "h.jsonl")
    assert commits_of(parse("HEAD~1"), TREE, Path("..", "outside.jsonl")) is not None
    Path("a.txt").write_text("changed")
    with pytest.raises(UserError, match=r"the working tree has changes \(a\.txt\): commit them first"):
        commits_of(parse("HEAD~1"), TREE, Path("h.jsonl"))


def test_outside_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commits_of(parse("HEAD"), TREE, None) is None
    monkeypatch.setenv("PATH", "")
    assert commits_of(parse("HEAD"), Spec("HEAD", rev="HEAD"), None) is None


# --- The next step


def test_where_head_differs_one_command_profiles_both_arms() -> None:
    lines = [Line("w0:tiny:sync:1x1", "regression", 1.2), Line("w1:tiny:sync:1x1", "improvement", 0.5)]
    (said,) = profiles.next_step(lines, replace(OPTIONS, base="main~1", head="rev=a b", size="small"))
    assert said.startswith("w0:tiny:sync:1x1 differs: ")
    name, check, *arguments = shlex.split(said.partition("in both arms: ")[2])
    assert (name, check) == ("gilbench", "check")
    given = gilbench.commands["check"].make_context("check", arguments).params
    assert (given["base"], given["head"], given["size"]) == ("main~1", "rev=a b", "small")
    assert (given["workloads"], given["profile"]) == (("w0",), True)


def test_where_head_does_not_differ_there_is_no_next_step() -> None:
    same, broken = Line("w0:tiny", "same", 1.0), Line("w0:tiny", "regression", reason="head: raised: ValueError")
    assert profiles.next_step([same, broken], OPTIONS) == []
    slower = [Line("w0:tiny", "regression", 1.2)]
    assert profiles.next_step(slower, replace(OPTIONS, inject=0.1)) == []
    assert profiles.next_step(slower, replace(OPTIONS, aa=True)) == []


# --- Profiles


def test_functions_are_ordered_by_how_much_they_differ() -> None:
    base = {"a.py:none": (1.0, 5.0), "a.py:same": (1.0, 5.0), "a.py:slower": (0.1, 2.0), "gone": (0.2, 1.0)}
    head = {"a.py:none": (1.001, 5.0), "a.py:same": (0.97, 5.0), "a.py:slower": (0.6, 8.0), "new\x1b": (0.05, 1.0)}
    lines = profiles.table(base, head)
    assert [line.split()[-1] for line in lines[1:5]] == ["a.py:slower", "gone", "new\x1b", "a.py:same"]
    assert lines[1].split()[0] == "+500" and "2 -> 8" in lines[1]
    assert lines[2].startswith("     -200 ms")
    assert "2.30 s" in lines[5] and "2.62 s" in lines[5]
    assert "\x1b" not in profiles.printable_lines("\n".join(lines))


def test_equal_profiles_say_so_and_the_shortest_of_several_counts() -> None:
    noisy = [{"f": (seconds, 1.0)} for seconds in (0.3, 0.1, 0.2)]
    assert profiles.least([*noisy, {"g": (0.1, 1.0)}]) == {"f": (0.0, 0.0), "g": (0.0, 0.0)}
    assert profiles.least(noisy) == {"f": (0.1, 1.0)}
    assert any("no function differs by 1% of base's time" in line for line in profiles.table(noisy[0], noisy[0]))


def test_a_profile_names_functions_by_their_place_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def work():\n    return sum(range(10))\n")
    space: dict[str, Callable[[], int]] = {}
    exec(compile((tmp_path / "mine.py").read_text(), str(tmp_path / "mine.py"), "exec"), space)
    profile = cProfile.Profile()
    for _ in range(4):
        profile.runcall(space["work"])
    found = functions(profile, tmp_path, calls=2)
    assert found["mine.py:work"][1] == 2.0
    assert any("sum" in name for name in found)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="paths of an arm")
def test_both_arms_are_really_profiled(tmp_path: Path) -> None:
    arms = []
    for name in ("base", "head"):
        (tmp_path / name / "tree").mkdir(parents=True)
        copy_code(tmp_path / name / "harness")
        arms.append(Arm(name, tmp_path / name, sys.executable, name))
    text = profiles.show(profiles.of_cases([Case("sum_of_squares", "tiny", "threads", 1, 2)], 60.0), (arms[0], arms[1]))
    assert text.startswith("sum_of_squares\n")
    assert "all, for each compute" in text
    with pytest.raises(UserError, match="base: none cannot be profiled"):
        profiles.show(profiles.of_cases([Case("none", "tiny", "sync")], 60.0), (arms[0], arms[1]))
