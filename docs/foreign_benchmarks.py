"""A project of other people's packages, for docs/measure_benchmarks.py: released versions, with benchmarks in pytest's form.

The packages are copied from where they are installed into a temporary repository, so that revisions of them can differ.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

PACKAGES = ("jinja2", "packaging", "pygments", "sortedcontainers", "click")

BENCHMARKS = """
import io
import random

import click
import jinja2
import pygments
import pytest
import sortedcontainers
from click.testing import CliRunner
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pygments.formatters import HtmlFormatter, NullFormatter
from pygments.lexers import JsonLexer, PythonLexer

ROWS = [{"name": f"name {n}", "n": n} for n in range(50)]
LOOP = "{% for row in rows %}<li>{{ row.name }}: {{ row.n + 1 }}</li>{% endfor %}"
MACRO = "{% macro cell(x) %}<td>{{ x|e }}</td>{% endmacro %}"
NESTED = MACRO + "{% for r in rows %}<tr>{{ cell(r.name) }}{{ cell(r.n) }}</tr>{% endfor %}"
CODE = "def f(x, y=1):\\n    return [x * i for i in range(y)]  # a comment\\n" * 10
JSON = "[" + ", ".join('{"a": %d, "b": "text"}' % n for n in range(40)) + "]"
VERSIONS = [f"{n % 7}.{n % 13}.{n}rc1" for n in range(100)]
NUMBERS = random.Random(1).sample(range(100_000), 1000)


@click.command()
@click.option("--count", default=1, type=int)
@click.argument("names", nargs=-1)
def hello(count, names):
    for name in names[:count]:
        click.echo(f"hello {name}")


def test_jinja_compile(benchmark):
    benchmark(jinja2.Environment(cache_size=0).from_string, LOOP)


@pytest.mark.parametrize("template", [LOOP, NESTED], ids=["loop", "macro"])
def test_jinja_render(benchmark, template):
    ready = jinja2.Environment().from_string(template)
    assert "name 49" in benchmark(ready.render, rows=ROWS)


def test_jinja_lex(benchmark):
    environment = jinja2.Environment()
    benchmark(lambda: list(environment.lex(NESTED)))


@pytest.mark.parametrize("lexer, text", [(PythonLexer(), CODE), (JsonLexer(), JSON)], ids=["python", "json"])
@pytest.mark.parametrize("formatter", [HtmlFormatter(), NullFormatter()], ids=["html", "null"])
def test_pygments(benchmark, lexer, text, formatter):
    benchmark(pygments.highlight, text, lexer, formatter)


def test_version_parse(benchmark):
    benchmark(lambda: [Version(text) for text in VERSIONS])


def test_version_sort(benchmark):
    versions = [Version(text) for text in VERSIONS]
    benchmark(sorted, versions)


def test_specifier(benchmark):
    wanted = SpecifierSet(">=1.2,<5,!=3.1.*")
    benchmark(lambda: list(wanted.filter(VERSIONS)))


def test_requirement(benchmark):
    benchmark(Requirement, "pkg[extra,other]>=1.2,<3; python_version >= '3.9' and sys_platform == 'linux'")


def test_marker(benchmark):
    marker = Marker("python_version >= '3.9' and (sys_platform == 'linux' or os_name == 'nt')")
    benchmark(marker.evaluate)


def test_canonicalize(benchmark):
    benchmark(canonicalize_name, "Some_Long.Package--Name")


def test_sorted_list_add(benchmark):
    def add():
        found = sortedcontainers.SortedList()
        for number in NUMBERS:
            found.add(number)
        return found

    benchmark(add)


def test_sorted_list_update(benchmark):
    benchmark(sortedcontainers.SortedList, NUMBERS)


def test_sorted_dict(benchmark):
    benchmark(lambda: sortedcontainers.SortedDict(zip(NUMBERS, NUMBERS)))


def test_sorted_set_union(benchmark):
    left, right = sortedcontainers.SortedSet(NUMBERS[:500]), sortedcontainers.SortedSet(NUMBERS[400:])
    benchmark(lambda: left | right)


def test_sorted_bisect(benchmark):
    found = sortedcontainers.SortedList(NUMBERS)
    benchmark(lambda: [found.bisect(number) for number in NUMBERS])


def test_click_parse(benchmark):
    benchmark(hello.make_context, "hello", ["--count", "2", "a", "b"])


def test_click_run(benchmark):
    runner = CliRunner()
    assert benchmark(runner.invoke, hello, ["--count", "2", "a", "b"]).output == "hello a\\nhello b\\n"


def test_click_help(benchmark):
    context = click.Context(hello)
    benchmark(hello.get_help, context)


def test_click_style(benchmark):
    benchmark(lambda: [click.unstyle(click.style(f"text {n}", fg="red", bold=True)) for n in range(50)])
"""

Change = Callable[[Path], None]


def made(folder: Path) -> None:
    """Make the repository: one commit, with the packages in `src` and the benchmarks in `tests`."""
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        assert found is not None and found.origin is not None
        shutil.copytree(
            Path(found.origin).parent, folder / "src" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "tests").mkdir()
    (folder / "tests" / "test_speed.py").write_text(BENCHMARKS)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-f", ".")
    git(folder, "commit", "-qm", "released versions")


def git(folder: Path, *arguments: str) -> None:
    """Run git there."""
    who = ["-c", "user.name=peer", "-c", "user.email=peer@example.invalid"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def _modules(folder: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((folder / "src" / package).rglob("*.py"))]


def _new_module(folder: Path) -> None:
    """Add a module to each package, and import it first."""
    for package in PACKAGES:
        root = folder / "src" / package
        (root / "_added.py").write_text("TABLE = {number: str(number) for number in range(1000)}\n")
        start = root / "__init__.py"
        text = start.read_text()
        line = "from . import _added  # noqa\n"
        future = re.search(r"^from __future__ import .*\n", text, re.M)
        at = future.end() if future else 0
        start.write_text(f"{text[:at]}{line}{text[at:]}" if future or not text.startswith('"""') else f"{text}\n{line}")


def _longer_docstrings(folder: Path) -> None:
    """Add a paragraph to docstrings of one line, of functions and classes."""
    for path in _modules(folder):
        text = path.read_text()
        path.write_text(
            re.sub(r'^(\s+)"""([^"\n]+)"""$', r'\1"""\2\n\n\1Nothing else is said here.\n\1"""', text, flags=re.M)
        )


def _other_import_order(folder: Path) -> None:
    """Reverse the first block of plain imports of each module."""
    for path in _modules(folder):
        text = path.read_text()
        block = re.search(r"(?:^import \w+(?: as \w+)?\n){2,}", text, re.M)
        if block:
            turned = "".join(reversed(block[0].splitlines(keepends=True)))
            path.write_text(text[: block.start()] + turned + text[block.end() :])


def _comments(folder: Path) -> None:
    """Move every line down, so that line numbers change."""
    for path in _modules(folder):
        path.write_text("# a comment\n" * 25 + path.read_text())


UNRELATED: Mapping[str, Change] = {
    "a new module": _new_module,
    "longer docstrings": _longer_docstrings,
    "another import order": _other_import_order,
    "other line numbers": _comments,
}
"""Changes to the packages that no benchmark should be slower for."""
