"""gilbench as a library: names that import nothing before they are used, functions that return data, and examples that run."""

from __future__ import annotations

import ast
import doctest
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gilbench
from gilbench import library
from gilbench.advice import advisor
from gilbench.checks import checker, scope
from gilbench.measure import planning, prober, runner
from gilbench.results import verdicts
from gilbench.results.records import Probing
from gilbench.results.result_file import save
from gilbench.variables import ITEMS
from tests.results.test_result_file import a_result

ROOT = Path(__file__).parent.parent
FUNCTIONS = {"run", "load", "probe", "advise", "check"}
EXAMPLES = [
    test for test in doctest.DocTestFinder(exclude_empty=True).find(library, "gilbench.library") if test.examples
]


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded after `code` ran in a fresh process."""
    code = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


# --- Names


def test_importing_gilbench_loads_nothing_else_of_it() -> None:
    ours = {name for name in loaded_by("import gilbench") if name.startswith("gilbench")}
    assert ours == {"gilbench"}


@pytest.mark.parametrize("name", ["Job", "workload", "UserError", "run", "advise", "check"])
def test_a_name_that_every_process_uses_loads_nothing_heavy(name: str) -> None:
    loaded = loaded_by(f"import gilbench; gilbench.{name}")
    assert not {"dask", "pandas", "numpy", "matplotlib", "scipy", "distributed", "pyperf", "click"} & loaded


def test_every_public_name_is_there_and_documented() -> None:
    for name in set(gilbench.__all__) - {"__version__"}:
        assert getattr(gilbench, name).__doc__, name
    assert dir(gilbench) == sorted(gilbench.__all__)
    assert set(gilbench.__all__) >= FUNCTIONS
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gilbench.nonsense  # noqa: B018


def test_type_checkers_see_the_same_names_in_the_same_modules() -> None:
    stub = ast.parse(Path(gilbench.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    seen = {name.asname: node.module for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == gilbench._FACE


def test_no_public_function_is_named_like_a_part() -> None:
    """Python would put the part in its place as soon as that is imported."""
    home = Path(gilbench.__file__).parent
    parts = {path.stem for path in home.iterdir() if path.suffix in ("", ".py")}
    assert not parts & set(gilbench.__all__)


# --- What functions take


def test_text_names_itself_and_a_function_goes_by_its_module() -> None:
    assert library.named("csv_*") == "csv_*"
    assert library.named(json.dumps) == "json:dumps"
    assert library.named(json.JSONEncoder.encode) == "json.encoder:JSONEncoder.encode"
    assert library.named(math.sqrt) == "math:sqrt"


def test_a_workload_goes_by_the_function_that_builds_it() -> None:
    from gilbench.targets.builtin import all_workloads

    assert library.named(all_workloads()["sort"]) == f"{all_workloads()['sort'].build.__module__}:sort"


@pytest.mark.parametrize("target", [lambda: 1, partial(math.sqrt, 2), 3])
def test_a_function_without_a_name_of_its_own_is_refused(target: Any) -> None:
    with pytest.raises(gilbench.UserError, match=r"cannot be imported by that name|has no name to import it by"):
        library.named(target)


def test_a_function_of_a_script_is_refused() -> None:
    code = "import gilbench\ndef f(): pass\ntry: gilbench.run(f)\nexcept gilbench.UserError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "'f' is defined in __main__, which new processes cannot import: move it into a module\n"


@pytest.mark.parametrize("items", [[1, 2.5, "it's", (None, True), {"a": [b"b"]}], [], range(3)])
def test_items_travel_as_an_expression_that_gives_them_back(items: Any) -> None:
    text = library.items_as_text(items)
    assert text is not None
    assert ast.literal_eval(text) == list(items)


def test_items_as_text_stay_as_they_are() -> None:
    assert library.items_as_text("range(10)") == "range(10)"
    assert library.items_as_text(None) is None


@pytest.mark.parametrize("items", [[object()], [math.nan], [math.inf], [len]])
def test_items_that_no_text_gives_back_are_refused(items: Any) -> None:
    with pytest.raises(gilbench.UserError, match="items must be plain values"):
        library.items_as_text(items)


def test_more_items_than_fit_are_refused() -> None:
    with pytest.raises(gilbench.UserError, match="name a file, or an expression"):
        library.items_as_text(range(100_000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gilbench.run("srot"), "no workload or family matches 'srot': did you mean sort or sqrt_sum"),
        (lambda: gilbench.run("sort", profile="fast"), "no profile is named 'fast'"),
        (lambda: gilbench.run("sort", schedulers="thread"), "no scheduler is named 'thread': did you mean threads"),
        (lambda: gilbench.run("sort", max_time=-1), "max_time=-1 must be above 0"),
        (lambda: gilbench.probe("sort", probes="gli"), "no probe is named 'gli'"),
        (lambda: gilbench.advise("srot"), "no workload is named 'srot'"),
        (lambda: gilbench.advise("sort", timeout=0), "timeout=0 must be above 0"),
        (lambda: gilbench.check(base="no-such-branch"), "no revision 'no-such-branch' here"),
        (lambda: gilbench.check(threshold={"sort": 0.0}), "threshold sort=0.0 must be above 0"),
        (lambda: gilbench.load("none.json"), "cannot read none.json"),
    ],
)
def test_a_mistake_raises_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(gilbench.UserError, match=r"^[^\n]*$") as error:
        call()
    assert message in str(error.value)


# --- What functions return, with the measuring scripted


def test_run_keeps_its_result_only_in_a_folder_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []

    def measure(options: planning.RunOptions, err: object, out: object) -> int:
        folders.append(options.results)
        save(a_result(), options.results / f"{options.name}.json")
        return 1  # something failed: the summary says so

    monkeypatch.setattr(runner, "run", measure)
    monkeypatch.chdir(tmp_path)
    kept = gilbench.run("sort", results="results", name="mine")
    assert kept.name == "mine"
    assert kept.failures
    assert gilbench.load(tmp_path / "results/mine.json") == kept
    assert len(gilbench.run("sort").cases) == len(kept.cases)
    assert not folders[1].exists()
    assert [path.name for path in tmp_path.rglob("*.json")] == ["mine.json"]


def test_what_a_command_changes_in_its_process_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def probings(options: prober.ProbeOptions, say: Callable[[str], object]) -> list[Probing]:
        os.environ[ITEMS] = str(options.items)
        return [Probing(target, options.size, {}, {}) for target in options.targets]

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(prober, "probings", probings)
    monkeypatch.delenv(ITEMS, raising=False)
    (probing,) = gilbench.probe(json.dumps, items=[1, 2])
    assert probing.workload == "json:dumps"
    assert ITEMS not in os.environ
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupted_command_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", lambda *_: 130)
    monkeypatch.setattr(checker, "run", lambda *_: 130)
    for call in (gilbench.run, gilbench.check):
        with pytest.raises(KeyboardInterrupt):
            call("sort")


def test_advise_passes_on_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(advisor, "advice_on", lambda options, say: asked.append(options))
    gilbench.advise(math.sqrt, items=[1, 2], once=True, timeout=5)
    assert asked == [advisor.AdviseOptions("math:sqrt", "[1, 2]", once=True, timeout=5)]


def test_check_returns_the_verdicts_or_says_that_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from gilbench.report import Page, formats

    asked: list[scope.CheckOptions] = []
    line = verdicts.Line("sort:tiny:sync:1x1", "same", 1.0, 0.99, 1.01, 0.02, 0.05, 0.1, 0.1, 12, 3.0)
    found = verdicts.Verdicts("HEAD", "working tree", (line,))

    def compare(options: scope.CheckOptions, *_: object) -> int:
        asked.append(options)
        if options.workloads:
            assert options.json is not None
            options.json.write_text(formats("verdicts")["json"](found, Page()))
        return 0

    monkeypatch.setattr(checker, "run", compare)
    assert gilbench.check("sort", threshold=0.05, schedulers=["sync", "threads"]) == found
    assert asked[0].thresholds == (("*", 0.05),)
    assert asked[0].schedulers == ("sync", "threads")
    assert not asked[0].results.exists()
    with pytest.raises(gilbench.UserError, match="nothing to measure"):
        gilbench.check()


# --- Examples


def test_every_function_has_an_example() -> None:
    assert {test.name.rpartition(".")[2] for test in EXAMPLES} >= FUNCTIONS


@pytest.mark.serial
@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_examples_run(
    test: doctest.DocTest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    complaints: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(test, out=complaints.append)
    assert outcome.failed == 0, "".join(complaints)
    assert capfd.readouterr() == ("", ""), "quiet where no progress is asked for"
