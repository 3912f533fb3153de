"""The user's repository: asked for revisions and copied from, and never changed.

Whatever git would be led to by the variables of a hook (an index, for instance) is left out, and no hook runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from gilbench.errors import UserError, nearest

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".cache", "*.pyc")
# What `git rev-parse --local-env-vars` lists, as far as it leads to another repository, index or folder.
LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
)  # fmt: skip
QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")
LINK = "160000"  # the mode of a submodule's entry


@dataclass(frozen=True)
class Place:
    """Where a folder lies. root: the top of its repository, or the folder itself outside git. inside: the way from there."""

    root: Path
    inside: str = ""
    git: bool = False


def place_of(folder: Path) -> Place:
    """Return where a folder lies. Raises UserError inside a bare repository, or inside a folder `.git`."""
    if shutil.which("git") is None or _said(folder, "rev-parse", "--git-dir") is None:
        return Place(folder)
    root = _said(folder, "rev-parse", "--show-toplevel")
    if root is None:
        raise UserError(
            f"{folder} has no working tree, as in a bare repository: name two revisions with --base and --head"
        )
    return Place(Path(root), (_said(folder, "rev-parse", "--show-prefix") or "").rstrip("/"), git=True)


def check_out(rev: str, folder: Path, to: Path) -> tuple[str, str]:
    """Put a revision of the repository around `folder` into the folder `to`, with its submodules.

    Returns what it is, for people, and the way from the repository's top to `folder`. Raises UserError.
    """
    commit = resolve(rev, folder)
    git("worktree", "add", "--quiet", "--detach", str(to), commit, at=folder, wrong=f"cannot check out {rev!r}")
    top = _said(folder, "rev-parse", "--show-toplevel")
    if top is not None:
        _fill_submodules(Path(top), commit, to)
    inside = (_said(folder, "rev-parse", "--show-prefix") or "").rstrip("/")
    return (f"{rev} ({commit[:9]})" if not commit.startswith(rev) else commit[:9]), inside


def resolve(rev: str, folder: Path) -> str:
    """Return the commit that a revision names. Raises UserError that says what is wrong: no git, no repository, no such one."""
    if shutil.which("git") is None:
        raise UserError("git is not installed: compare folders with path=, or a release with package==1.2")
    asked = _run(folder, "rev-parse", "--git-dir")
    if asked.returncode and "not a git repository" not in asked.stderr:  # it may belong to somebody else
        said = (asked.stderr.strip().splitlines() or ["it says nothing"])[0]
        fix = f": git config --global --add safe.directory {folder}" if "dubious ownership" in said else ""
        raise UserError(f"git does not read {folder}: {said}{fix}")
    if asked.returncode:
        raise UserError(
            f"{folder} is not in a git repository, so there is no revision {rev!r}: compare with another folder (path=), "
            "or with a release (package==1.2)"
        )
    commit = _said(folder, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}")
    if commit is not None:
        return commit
    if _said(folder, "rev-parse", "--is-shallow-repository") == "true":
        raise UserError(
            f"no revision {rev!r} here: this clone is shallow, so run `git fetch --unshallow` "
            "(for GitHub's actions/checkout: fetch-depth: 0)"
        )
    names = (
        _said(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags") or ""
    ).split()
    same = [name for name in names if name.endswith(f"/{rev}")]
    hint = (
        f": did you mean {' or '.join(same[:3])}?" if same else nearest(rev, names, "see git branch --all and git tag")
    )
    raise UserError(f"no revision {rev!r} here{hint}")


def copy_working_tree(place: Place, to: Path) -> None:
    """Copy a checkout as it is, uncommitted changes included, into the folder `to`.

    With git, `to` becomes a worktree of its own, because many builds ask git for their version.
    """
    if place.git and _said(place.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None:
        what = ("worktree", "add", "--quiet", "--detach", "--no-checkout", str(to), "HEAD")
        git(*what, at=place.root, wrong="cannot make a worktree")
        git("reset", "--quiet", at=to, wrong="cannot make a worktree")  # fills the index of the new worktree, no other
    snapshot(place.root, to)


def snapshot(source: Path, to: Path) -> None:
    """Copy a checkout as it is: with git, the tracked files, and the untracked ones that are not ignored."""
    listed = (
        _said(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard") if shutil.which("git") else None
    )
    if listed is None:
        shutil.copytree(source, to, ignore=LEFT_OUT, dirs_exist_ok=True)
        return
    for name in listed.split("\0"):
        file = source / name
        inner_link = file.is_symlink() and not file.readlink().is_absolute()
        if name and (inner_link or file.is_file()):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to / name, follow_symlinks=not inner_link)
        elif name and (source / name / ".git").exists():
            snapshot(source / name, to / name)


def _fill_submodules(source: Path, commit: str, to: Path) -> None:
    """Fill the submodules of a checked out commit from those of the user's checkout, without any network.

    One that the user has not checked out stays empty, as it is there. Raises UserError where its commit is missing.
    """
    listed = git("ls-tree", "-r", "-z", commit, at=source, wrong="cannot list the files")
    for entry in listed.split("\0"):
        about, _, name = entry.partition("\t")
        if not about.startswith(LINK) or not (source / name / ".git").exists():
            continue
        wanted = about.split()[2]
        if _said(source / name, "cat-file", "-e", f"{wanted}^{{commit}}") is None:
            raise UserError(f"the submodule {name} lacks its commit {wanted[:9]}: run `git -C {name} fetch`")
        archive = to.with_name("submodule.tar")
        git(
            "archive",
            "--format=tar",
            "-o",
            str(archive),
            wanted,
            at=source / name,
            wrong=f"cannot read submodule {name}",
        )
        with tarfile.open(archive) as found:
            trusted = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # Python 3.11.0 to 3.11.3 take none
            found.extractall(to / name, **trusted)  # type: ignore[arg-type]  # noqa: S202 - git has just written it
        archive.unlink()
        _fill_submodules(source / name, wanted, to / name)


def remove_worktree(tree: Path) -> None:
    """Take a worktree out of its repository's list, and remove its files. Does nothing for other folders."""
    if (tree / ".git").is_file() and shutil.which("git"):
        _run(tree, "worktree", "remove", "--force", "--force", str(tree))


def prune(folder: Path) -> None:
    """Take worktrees whose folders are gone out of the list of the repository around `folder`."""
    if shutil.which("git"):
        _run(folder, "worktree", "prune")


def git(*arguments: str, at: Path, wrong: str) -> str:
    """Return what git prints in a folder. Raises UserError where it fails: `wrong`, and git's own last line."""
    done = _run(at, *arguments)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise UserError(f"{wrong}{f': {said[-1]}' if said else ''}")
    return done.stdout.strip()


def _said(folder: Path, *arguments: str) -> str | None:
    """Return what git prints in a folder; None where it fails."""
    done = _run(folder, *arguments)
    return None if done.returncode else done.stdout.strip()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name not in LOCAL}
    command = ["git", *QUIET, "-C", str(folder), *arguments]
    done = subprocess.run(
        command, capture_output=True, env={**variables, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}, check=False
    )
    return subprocess.CompletedProcess(command, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
