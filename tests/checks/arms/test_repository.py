"""The user's repository: real ones, of every awkward kind, which stay as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gilbench.checks.arms import repository
from gilbench.checks.arms.repository import place_of
from gilbench.errors import UserError
from tests.checks.arms.repositories import committed, git, state


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return committed(tmp_path / "project", {"a.py": "A = 1\n", "sub/b.py": "B = 1\n"})


def test_outside_a_repository_the_line_says_what_else_can_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not in a git repository.*path=.*package==1\.2"):
        repository.resolve("HEAD", tmp_path)
    assert place_of(tmp_path) == repository.Place(tmp_path)


def test_a_repository_that_git_does_not_trust_is_not_called_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match=r"git does not read .*dubious ownership"):
        repository.resolve("HEAD", project)


def test_an_unknown_revision_is_named_with_those_like_it(project: Path) -> None:
    with pytest.raises(UserError, match=r"no revision 'mian' here: did you mean main\?"):
        repository.resolve("mian", project)


def test_a_branch_that_only_the_remote_has_is_named(project: Path, tmp_path: Path) -> None:
    git(project, "branch", "stable")
    git(tmp_path, "clone", "-q", str(project), "clone")
    with pytest.raises(UserError, match="did you mean origin/stable"):
        repository.resolve("stable", tmp_path / "clone")


def test_a_shallow_clone_that_lacks_the_base_says_how_to_deepen_it(project: Path, tmp_path: Path) -> None:
    first = git(project, "rev-parse", "HEAD").strip()
    committed(project, {"a.py": "A = 2\n"})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "clone")
    with pytest.raises(UserError, match=r"shallow.*git fetch --unshallow.*fetch-depth: 0"):
        repository.resolve(first, tmp_path / "clone")


def test_a_bare_repository_has_revisions_but_no_working_tree(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare")
    with pytest.raises(UserError, match="has no working tree"):
        place_of(tmp_path / "bare")
    repository.check_out("main", tmp_path / "bare", tmp_path / "tree")
    assert (tmp_path / "tree" / "a.py").read_text() == "A = 1\n"
    repository.remove_worktree(tmp_path / "tree")
    assert git(tmp_path / "bare", "worktree", "list").count("\n") == 1


def test_from_a_subfolder_the_whole_repository_is_taken(project: Path, tmp_path: Path) -> None:
    (project / "sub" / "b.py").write_text("B = 2\n")
    place = place_of(project / "sub")
    assert (place.root, place.inside) == (project, "sub")
    repository.copy_working_tree(place, tmp_path / "tree")
    assert (tmp_path / "tree" / "sub" / "b.py").read_text() == "B = 2\n"
    label, inside = repository.check_out("main", project / "sub", tmp_path / "base")
    assert inside == "sub" and label.startswith("main (")


def test_the_copy_of_a_working_tree_knows_its_version_and_what_was_deleted(project: Path, tmp_path: Path) -> None:
    git(project, "tag", "v1.0")
    (project / "a.py").unlink()
    (project / "new.py").write_text("")
    before = state(project)
    repository.copy_working_tree(place_of(project), tmp_path / "tree")
    assert git(tmp_path / "tree", "describe", "--tags", "--dirty").strip() == "v1.0-dirty"
    assert not (tmp_path / "tree" / "a.py").exists() and (tmp_path / "tree" / "new.py").exists()
    repository.remove_worktree(tmp_path / "tree")
    assert state(project) == before


def test_a_repository_without_any_commit_is_copied(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    (tmp_path / "new" / "a.py").write_text("")
    repository.copy_working_tree(place_of(tmp_path / "new"), tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["a.py"]


@pytest.fixture
def with_submodule(project: Path, tmp_path: Path) -> Path:
    library = committed(tmp_path / "library", {"lib.py": "L = 1\n"})
    git(project, "submodule", "--quiet", "add", str(library), "vendored")
    return committed(project, {"c.py": ""})


def test_submodules_come_from_the_users_own_and_each_revision_has_its_own(with_submodule: Path, tmp_path: Path) -> None:
    committed(with_submodule / "vendored", {"lib.py": "L = 2\n"})
    (with_submodule / "vendored" / "lib.py").write_text("L = 3\n")
    before = state(with_submodule)
    repository.check_out("HEAD", with_submodule, tmp_path / "base")
    repository.copy_working_tree(place_of(with_submodule), tmp_path / "head")
    assert (tmp_path / "base" / "vendored" / "lib.py").read_text() == "L = 1\n"
    assert (tmp_path / "head" / "vendored" / "lib.py").read_text() == "L = 3\n"
    for tree in (tmp_path / "base", tmp_path / "head"):
        repository.remove_worktree(tree)
        assert not tree.exists()
    assert state(with_submodule) == before


def test_a_submodule_that_lacks_its_commit_is_named(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "update-index", "--cacheinfo", f"160000,{'1' * 40},vendored")
    git(with_submodule, "commit", "-qm", "a commit of the submodule that nobody has")
    with pytest.raises(
        UserError, match=r"the submodule vendored lacks its commit 111111111: run `git -C vendored fetch`"
    ):
        repository.check_out("HEAD", with_submodule, tmp_path / "base")


def test_a_submodule_that_is_not_checked_out_stays_empty(with_submodule: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(with_submodule), "clone")
    repository.check_out("HEAD", tmp_path / "clone", tmp_path / "base")
    assert list((tmp_path / "base" / "vendored").iterdir()) == []


def test_in_a_hook_the_users_index_stays_as_it_is(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_text("A = 2\n")
    git(project, "add", "a.py")
    before = state(project)
    monkeypatch.setenv("GIT_INDEX_FILE", str(project / ".git" / "index"))
    monkeypatch.setenv("GIT_DIR", str(project / ".git"))
    repository.copy_working_tree(place_of(project), tmp_path / "tree")
    repository.remove_worktree(tmp_path / "tree")
    monkeypatch.undo()
    assert state(project) == before


def test_no_hook_of_the_users_runs(project: Path, tmp_path: Path) -> None:
    hook = project / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.check_out("HEAD", project, tmp_path / "tree")
    assert not (tmp_path / "ran").exists()


def test_links_inside_a_checkout_stay_links(project: Path, tmp_path: Path) -> None:
    (project / "link").symlink_to("sub")
    (project / "outside.py").symlink_to(project / "a.py")
    repository.copy_working_tree(place_of(project), tmp_path / "tree")
    assert (tmp_path / "tree" / "link" / "b.py").resolve() == tmp_path / "tree" / "sub" / "b.py"
    assert not (tmp_path / "tree" / "outside.py").is_symlink(), "it would lead back into the user's checkout"


def test_git_that_fails_says_its_own_last_line(project: Path) -> None:
    with pytest.raises(UserError, match=r"^cannot do it: .*no-such-command"):
        repository.git("no-such-command", at=project, wrong="cannot do it")
    assert subprocess.run(["git", "-C", str(project), "fsck"], check=False, capture_output=True).returncode == 0
