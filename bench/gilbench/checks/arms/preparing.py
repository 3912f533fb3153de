"""Both arms, made ready: the sources in folders whose paths have the same length, and an environment for each.

There are three ways, and the first that fits both arms is taken: the active environment with each arm's tree before it on the
import path; an environment for each arm's requirements, again with the tree before it; and an environment in which each
arm's build is installed, for what has to be compiled or generated. `--setup` and releases have ways of their own. After each,
both arms import the project's packages and say from which files; a way that leads to the wrong files is not taken.

The user's checkout, index, and stash are not touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from gilbench.checks.arms import asking, building, repository
from gilbench.checks.arms.arm import Arm
from gilbench.checks.arms.asking import Facts, Origin
from gilbench.checks.arms.project import Project, read_project, sources_digest
from gilbench.checks.arms.spec import Spec
from gilbench.console import Say
from gilbench.errors import UserError
from gilbench.files import ignored_by_git
from gilbench.process import interpreters
from gilbench.process.environments import copy_code, environment

Way = Literal["active", "requirements", "build"]
OURS = "gilbench"  # the harness comes before it in both arms: what differs are the workloads


@dataclass(frozen=True)
class Laid:
    """An arm whose sources are in place. inside: as in Arm."""

    name: str
    spec: Spec
    folder: Path
    label: str
    project: Project
    inside: str = ""

    @property
    def tree(self) -> Path:
        """The folder of its sources."""
        return self.folder / "tree"

    @property
    def full(self) -> str:
        """What it is, for messages: `base (v1.2)`."""
        return f"{self.name} ({self.label})"


@dataclass(frozen=True)
class Means:
    """What both arms are made with.

    cache: folder for environments. setup: command instead of builds. needs: requirements of the measuring code. say: takes
    lines about what takes long, and the last lines of what failed. forget: takes environments that are not to be kept.
    """

    cache: Path
    setup: str
    needs: tuple[str, ...]
    say: Say
    forget: Callable[[Path], object]


@contextlib.contextmanager
def prepared(
    base: Spec, head: Spec, cache: Path, *, setup: str = "", needs: Sequence[str] = (), say: Say = lambda line: None
) -> Iterator[tuple[Arm, Arm]]:
    """Yield both arms, ready to be measured; everything temporary is removed at the end, even after Ctrl-C.

    cache: folder that keeps environments. setup: command that replaces the builds. needs: requirements that environments get
    besides those of the project. say: takes lines for the user. What crashed checks left behind is removed first. Raises
    UserError with one line for what is not available, does not build, or does not import what it should.
    """
    remove_leftovers()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(_scratch()))
        for name in ("base", "head"):
            stack.callback(repository.remove_worktree, scratch / name / "tree")
        forget = partial(stack.callback, partial(shutil.rmtree, ignore_errors=True))
        try:
            ignored_by_git(cache)
            laid = [_lay(name, spec, scratch / name) for name, spec in (("base", base), ("head", head))]
            arms = _arms(laid[0], laid[1], Means(cache, setup, tuple(needs), say, forget))
            for arm in arms:
                _compile(arm)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise UserError(
                f"cannot prepare the arms: {error.strerror or error}{where}; TMPDIR names another folder for them"
            ) from error
        yield arms


def _scratch() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=f"gilbench-arms-{os.getpid()}-", ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f"cannot make a temporary folder: {error.strerror}; TMPDIR names another one") from error


def _lay(name: str, spec: Spec, folder: Path) -> Laid:
    """Put the sources of an arm, and the measuring code, into its folder."""
    folder.mkdir()
    copy_code(folder / "harness")
    if spec.release is not None:
        (folder / "tree").mkdir()
        project = Project(name=spec.release.partition("=")[0].partition("[")[0], sources=())
        return Laid(name, spec, folder, _label(f"release {spec.release}", spec), project)
    where, inside = check_out(spec, folder / "tree")
    return Laid(name, spec, folder, _label(where, spec), read_project(folder / "tree", inside), inside)


def _label(where: str, spec: Spec) -> str:
    return ", ".join([where, *([f"python {spec.python}"] if spec.python else []), *spec.packages])


def check_out(spec: Spec, to: Path) -> tuple[str, str]:
    """Put the spec's sources into the folder `to`; return what they are, for people, and the user's folder in them."""
    if spec.rev is not None:
        return repository.check_out(spec.rev, Path.cwd(), to)
    source = Path(spec.path).expanduser() if spec.path else Path.cwd()
    if not source.is_dir():
        raise UserError(f"no folder {spec.path!r}: path= takes another checkout")
    place = repository.place_of(source)
    repository.copy_working_tree(place, to)
    return "working tree" if source.resolve() == Path.cwd() else str(spec.path), place.inside


def _arms(base: Laid, head: Laid, means: Means) -> tuple[Arm, Arm]:
    """Return both arms by the first way that fits. Raises UserError where none does."""
    if means.setup:
        return _set_up(base, head, means)
    pythons = (_interpreter(base.spec, means), _interpreter(head.spec, means))
    ways: list[Way] = ["build"] if base.project.compiled or head.project.compiled else ["requirements", "build"]
    refused = _not_active(base, head, pythons, means)
    if not refused:
        ways.insert(0, "active")
    for way in ways:
        if refused:
            means.say(f"each arm gets an environment of its own: {refused}")
        found = [_arm(laid, python, way, means) for laid, python in zip((base, head), pythons, strict=True)]
        arms, refused = _checked(base, head, (found[0], found[1]))
        if not refused:
            return arms
    raise UserError(refused)


def _interpreter(spec: Spec, means: Means) -> str:
    """Return the interpreter that an arm is made from: the one that is named, or the active one."""
    if spec.python:
        return interpreters.find(spec.python, option="python=").command
    return sys.executable if means.needs else asking.active_python()


def _not_active(base: Laid, head: Laid, pythons: Sequence[str], means: Means) -> str:
    """Return why the environments that are there do not serve these arms, or "" where they may."""
    if base.spec.release or head.spec.release:
        return "a release has no tree"
    if base.spec.packages or head.spec.packages:
        return "packages are asked for with with="
    if not (base.project.buildable or head.project.buildable):
        return ""
    if base.project.metadata != head.project.metadata:
        return "the metadata of base and head differ"
    if base.project.compiled or head.project.compiled:
        return f"{head.project.name or 'the project'} has compiled or generated parts"
    for laid, python in zip((base, head), pythons, strict=True):
        facts = asking.facts_of(python)
        missing = _missing(laid.project, facts, means.needs)
        if missing:
            return f"{missing} is not in {facts.prefix or python}"
    return ""


def _missing(project: Project, facts: Facts, needs: Sequence[str]) -> str:
    """Return what of a project's requirements an interpreter lacks, or ""."""
    asked = project.requirements if project.requirements is not None else facts.requirements_of(project.name)
    if asked is None:
        return f"what {project.name or 'the project'} requires"
    return facts.unmet([*asked, *needs], project.requires_python)


def _arm(laid: Laid, python: str, way: Way, means: Means) -> Arm:
    project = laid.project
    if way == "active":
        return Arm(laid.name, laid.folder, python, laid.label, project.sources, inside=laid.inside)
    if not (project.buildable or project.name):  # nothing to build: only the packages that the user asked for
        made = environment(python, laid.spec.packages, means.cache) if laid.spec.packages else python
        return Arm(laid.name, laid.folder, made, laid.label, project.sources, inside=laid.inside)
    recipe = building.Recipe(
        python=python,
        what=laid.full,
        tools=_tools(project, python),
        packages=(*laid.spec.packages, *means.needs, *([laid.spec.release] if laid.spec.release else [])),
        build=None if laid.spec.release else laid.tree / project.folder,
        stamp=sources_digest(laid.tree, project.folder) if way == "build" else project.metadata,
    )
    sources = project.sources if way == "requirements" else ()
    made = building.made(recipe, means.cache, means.say)
    if way == "build" and not laid.spec.release:
        _complete(laid, made)
    return Arm(laid.name, laid.folder, made, laid.label, sources, inside=laid.inside)


def _complete(laid: Laid, python: str) -> None:
    """Copy what a build has made next to the sources it was made from.

    Some runners of benchmarks put the tree on the import path. A package that is found there must not lack its compiled
    parts: many then fall back to slower ones without a word.
    """
    for place, path in asking.files_of(python, laid.project.name).items():
        for source in laid.project.sources:
            to = laid.tree / source / place
            if (laid.tree / source / Path(place).parts[0]).is_dir() and not to.exists():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)


def _tools(project: Project, python: str) -> tuple[str, ...]:
    """Return what runs benchmarks, in the versions that an interpreter's environment has, unless it is the project itself."""
    return asking.facts_of(python).tools(without=[project.name])


def _set_up(base: Laid, head: Laid, means: Means) -> tuple[Arm, Arm]:
    """Return both arms as the user's command sets them up. The environment of one that imports from its tree goes with it."""
    arms = []
    for laid in (base, head):
        if laid.spec.release:
            raise UserError(f"--setup needs a source tree, and {laid.spec.release} has none: leave one of them out")
        python, project = _interpreter(laid.spec, means), laid.project
        recipe = building.Recipe(
            python=python,
            what=laid.full,
            tools=_tools(project, python),
            packages=(*laid.spec.packages, *means.needs),
            build=laid.tree / project.folder,
            stamp=sources_digest(laid.tree),
            setup=means.setup,
        )
        made = building.made(recipe, means.cache, means.say)
        arm = Arm(laid.name, laid.folder, made, laid.label, (), inside=laid.inside)
        origin = _origin(laid, arm)
        if origin.wrong or not origin.imported:
            arm = replace(arm, sources=project.sources)
            origin = _origin(laid, arm)
        tree = os.path.realpath(laid.tree)
        if origin.wrong or any(Path(file).is_relative_to(tree) for file in origin.imported.values()):
            means.forget(Path(made).parents[1])
        if origin.wrong:
            raise UserError(f"{laid.full}: after --setup, {origin.wrong}")
        arms.append(_knowing(arm, origin))
    return arms[0], arms[1]


def _checked(base: Laid, head: Laid, arms: tuple[Arm, Arm]) -> tuple[tuple[Arm, Arm], str]:
    """Return both arms with what they really import, and why they cannot be used, or ""."""
    origins = [_origin(laid, arm) for laid, arm in zip((base, head), arms, strict=True)]
    found = _knowing(arms[0], origins[0]), _knowing(arms[1], origins[1])
    wrong = [f"{laid.full}: {origin.wrong}" for laid, origin in zip((base, head), origins, strict=True) if origin.wrong]
    if not wrong:
        return found, ""
    both = asking.shared(origins[0].imported, origins[1].imported)
    return found, f"{both}, as an editable install may do" if both else wrong[0]


def _origin(laid: Laid, arm: Arm) -> Origin:
    """Return where an arm imports its project from. gilbench itself comes from the harness: nothing is asked then."""
    project = laid.project
    if project.name == OURS or not (project.name or project.packages):
        return Origin()
    installed = arm.python if not arm.sources else ""
    origin = asking.origin_of(arm, project.name, () if installed else project.packages, installed=bool(installed))
    if installed and not origin.imported and not origin.wrong and project.packages:
        origin = asking.origin_of(arm, project.name, project.packages, installed=True)
    return origin


def _knowing(arm: Arm, origin: Origin) -> Arm:
    return replace(arm, packages=tuple(origin.imported), imported=origin.imported)


def _compile(arm: Arm) -> None:
    """Write the byte code of what an arm's workers import, so that no epoch is the first to do so."""
    known = [arm.tree / source / package.replace(".", os.sep) for source in arm.sources for package in arm.packages]
    folders = [arm.folder / "harness", *(known or [arm.tree])]
    command = [arm.python, "-P", "-m", "compileall", "-q", *map(str, filter(Path.exists, folders))]
    interpreters.execute(command, interpreters.APART)


def remove_leftovers() -> None:
    """Remove the folders and worktrees of checks whose process is gone, such as those that were killed."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob("gilbench-arms-*"):
        pid = folder.name.split("-")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            for name in ("base", "head"):
                repository.remove_worktree(folder / name / "tree")
            shutil.rmtree(folder, ignore_errors=True)
    repository.prune(Path.cwd())
