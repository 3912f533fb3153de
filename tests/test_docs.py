"""The pages are right: links lead somewhere, commands parse, every part has its section, and the examples run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gilbench import charts
from gilbench.commands.group import gilbench
from gilbench.errors import UserError
from gilbench.probes import all_probes
from gilbench.report import formats
from gilbench.schedulers import all_schedulers
from gilbench.targets.builtin import all_workloads, choose
from gilbench.targets.naming import is_own

ROOT = Path(__file__).parent.parent
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACED = re.compile(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"[A-Z]+(\.json)?|\.\.\.|…")


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", text)


def spans(text: str) -> Iterator[str]:
    """Yield the code spans of a page's prose, each on one line."""
    for found in re.findall(r"(?<!\\)`([^`]+)(?<!\\)`", prose(text)):
        yield " ".join(found.split())


def lines_of_code(text: str) -> Iterator[str]:
    """Yield the lines of the blocks that hold commands or output, not a program."""
    for language, block in FENCE.findall(text):
        if language in ("", "sh", "bash", "console"):
            yield from block.splitlines()


def commands(text: str) -> list[str]:
    """Return every `gilbench ...` of a page."""
    found = [
        *spans(text),
        *lines_of_code(text),
        *(line[4:] for line in text.splitlines() if line.startswith("    gilbench ")),
    ]
    return [line for line in found if re.match(r"gilbench\s+\S", line)]


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the fragment that links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def examples() -> dict[str, str]:
    """Return the files that docs/extending.md adds: path -> code."""
    return dict(PLACED.findall(PAGES["docs/extending.md"]))


def examples_named() -> set[str]:
    """Return the names that commands use for these files."""
    functions = re.findall(r"^def (\w+)\(", examples()["workloads/compression.py"], re.MULTILINE)
    return {Path(path).stem.removesuffix("_probe") for path in examples()} | set(functions)


# --- Links and commands


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(PAGES[page])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, place = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page} links to {target}"
        if place:
            known = [anchor(heading) for heading in headings(PAGES[str(file.resolve().relative_to(ROOT))])]
            assert place in known, f"{page} links to {target}"


@pytest.mark.parametrize(("page", "line"), [(page, line) for page, text in PAGES.items() for line in commands(text)])
def test_commands_parse(page: str, line: str) -> None:
    """Known command, known options, values of the right kind, and names that exist."""
    _, *arguments = shlex.split(line, comments=True)
    arguments = [argument for argument in arguments if argument not in ("...", "…")]
    if not arguments or arguments[0] in ("-h", "--help", "--version"):
        return
    assert arguments[0] in gilbench.commands, f"{page}: {line}"
    command = gilbench.commands[arguments[0]]
    if len(arguments) == 1:
        return  # the name of a command, in a sentence
    try:
        given = command.make_context(arguments[0], arguments[1:]).params
    except click.UsageError as error:
        pytest.fail(f"{page}: {line}: {error.format_message()}")
    new = examples_named()
    assert_known(given.get("schedulers") or (), {*all_schedulers(), *new})
    assert_known(given.get("probes") or (), {*all_probes(), *new})
    assert_known([given["format_"]] if "format_" in given else [], {*formats("result"), *new, "junit"})
    named = [*(given.get("workloads") or ()), *(given.get("targets") or ())]
    assert_known([name for name in named if not (is_own(name) or matches(name))], new)


def assert_known(names: object, known: set[str]) -> None:
    assert isinstance(names, tuple | list)
    assert [name for name in names if name not in known and not PLACEHOLDER.fullmatch(name)] == []


def matches(pattern: str) -> bool:
    """Return whether there is a workload or a family of this name or pattern."""
    try:
        return bool(choose(all_workloads(), [pattern]))
    except UserError:
        return False


@pytest.mark.parametrize("page", PAGES)
def test_scripts_and_targets_are_there(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in (*spans(PAGES[page]), *lines_of_code(PAGES[page])):
        for script in re.findall(r"\bpython (docs/\S+\.py)", line):
            assert (ROOT / script).is_file(), f"{page}: {line}"
        for target in re.findall(r"^make ([a-z]+)", line):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: {line}"


# --- Every part has its section


def test_every_chart_has_a_section_with_its_picture() -> None:
    text = PAGES["docs/charts.md"]
    assert sorted(charts.names()) == sorted(set(headings(text)) & set(charts.names()))
    drawn = {path.stem for path in (ROOT / "plots/reference").glob("*.png")}
    shown = set(re.findall(r"!\[[^\]]+\]\(\.\./plots/reference/(\w+)\.png\)", text))
    assert drawn & set(charts.names()) == shown


def test_every_probe_has_a_section() -> None:
    assert [name for name in all_probes() if name not in headings(PAGES["docs/probes.md"])] == []


def test_every_scheduler_and_family_is_explained() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGES["docs/measuring.md"], re.MULTILINE)
    families = {workload.family for workload in all_workloads().values()}
    assert [name for name in (*all_schedulers(), *families) if name not in rows] == []


# --- The examples


def project(folder: Path, files: dict[str, str]) -> Path:
    """Copy the code into a folder, and add files to it."""
    for package in ("bench", "workloads"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, code in files.items():
        assert not (folder / path).exists(), f"{path} exists already: the example adds nothing"
        (folder / path).write_text(code, encoding="utf-8")
    return folder


def call(folder: Path, *arguments: str) -> str:
    """Run the gilbench of the project in a folder; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "bench")}
    command = [sys.executable, "-m", "gilbench", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with all files of docs/extending.md, and a result of what they add."""
    folder = project(tmp_path_factory.mktemp("extended"), examples())
    options = ("--size", "tiny", "--workers", "2", "--max-observations", "1", "--name", "own")
    call(folder, "run", "compress", "--scheduler", "forkserver", *options)
    return folder


def test_the_page_adds_one_of_each() -> None:
    assert sorted(str(Path(path).parent) for path in examples()) == [
        "bench/gilbench/charts/costs",
        "bench/gilbench/probes",
        "bench/gilbench/report",
        "bench/gilbench/schedulers",
        "workloads",
    ]


@pytest.mark.serial
def test_the_new_workload_is_measured_under_the_new_scheduler(extended: Path) -> None:
    found = json.loads(call(extended, "show", "results/own.json", "--format", "json"))
    cases = {(case["case"]["workload"], case["case"]["scheduler"], case["workers_used"]) for case in found["cases"]}
    assert ("compress", "forkserver", 2) in cases
    assert found["failures"] == []


@pytest.mark.serial
def test_the_new_format_names_the_workload(extended: Path) -> None:
    assert re.fullmatch(
        r"compress: (sync, or not known|forkserver 2x1, \S+x)\n", call(extended, "show", "--format", "best")
    )


@pytest.mark.serial
def test_the_new_chart_is_drawn(extended: Path) -> None:
    call(extended, "plot", "results/own.json", "-o", "plots")
    assert "forkserver" in (extended / "plots/opening.svg").read_text()


@pytest.mark.serial
def test_the_new_probe_measures(extended: Path) -> None:
    printed = json.loads(call(extended, "probe", "compress", "--size", "tiny", "--probe", "collector", "--json"))
    (probing,) = printed["probes"]
    assert probing["reasons"] == {"collector": {}}
    assert 0 <= probing["found"]["collector"]["sync"]["share"] < 1


BLOCKS = [
    (page, number, code)
    for page, text in PAGES.items()
    if page != "docs/extending.md"
    for number, (language, code) in enumerate(FENCE.findall(text))
    if language == "python"
]


@pytest.mark.serial
@pytest.mark.parametrize(("page", "number", "code"), BLOCKS, ids=[f"{page}-{number}" for page, number, _ in BLOCKS])
def test_other_examples_run(page: str, number: int, code: str, tmp_path: Path) -> None:
    """A block with workloads is a family; any other block is a script."""
    names = re.findall(r"^@workload\(.*?^def (\w+)", code, re.MULTILINE | re.DOTALL)
    folder = project(tmp_path, {f"workloads/example_{number}.py": code} if names else {"example.py": code})
    if not names:
        environment = {**os.environ, "PYTHONPATH": str(folder / "bench")}
        subprocess.run([sys.executable, "example.py"], cwd=folder, env=environment, check=True, timeout=300)
        return
    call(folder, "run", *names, "--scheduler", "threads", "--workers", "2", "--size", "tiny", "--max-observations", "1")
    found = json.loads(call(folder, "show", "--format", "json"))
    assert {case["case"]["workload"] for case in found["cases"]} == set(names)
