"""The user's own work: functions, graphs and modules named on the command line. Some of it really runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dask import compute
from dask.local import get_sync

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.commands.group import gilbench
from gilbench.errors import Failure, UserError
from gilbench.measure import narration, planning, resuming
from gilbench.measure.software import Software
from gilbench.measure.workers import Workers
from gilbench.results.records import Observation, Result
from gilbench.targets.calls import Calls, batches, spread
from gilbench.targets.items import items_of
from gilbench.targets.naming import chosen, graph, workload_of
from gilbench.targets.own import TASKS
from gilbench.targets.workload import SIZES, Workload
from gilbench.variables import ITEMS, TAKE
from tests.measure.test_runner import options
from tests.scripted import MACHINE, observation, plan

MINE = '''
"""Functions of many kinds."""
import functools, os, random, sys, threading
import dask

def plain(n):
    """Twice as much

    More text."""
    return n * 2

def no_items():
    return "done"

def generator(n):
    yield n

async def coroutine(n):
    return n

def lazy(n):
    return (i for i in range(n))

class Own:
    def __init__(self, n=3):
        self.n = n

    def times(self, k):
        return self.n * k

own = Own()
number = 3
dial = lambda n: n + 1
partial = functools.partial(pow, 2)
cached = functools.cache(plain)
decorated = dask.delayed(plain)
made = decorated(3)

def draw(n):
    return random.random()

def lock(n):
    return threading.Lock()

def breaks(n):
    if n == 2:
        raise ValueError("a bad thing")
    return n

def leaves(n):
    sys.exit("bye")

def one():
    return decorated(20)

def three():
    return [decorated(n) for n in range(3)]

def none():
    return 7

def empty():
    return []

def fails():
    raise OSError("no data")

if __name__ == "__main__":
    def guarded(n):
        return n
'''

MODULE = '''
from dask import delayed
from gilbench import Job, workload
from gilbench.workloads.python_loops import sum_of_squares

def _task(n):
    return n + 1

@workload(tiny={"n": 1}, small={"n": 2}, default={"n": 3}, large={"n": 4})
def first(n):
    """The first one"""
    return Job([delayed(_task)(k) for k in range(n)])

@workload(tiny={"n": 1}, small={"n": 2}, default={"n": 3}, large={"n": 4})
def second(n):
    return Job([delayed(_task)(n)], answer=[n + 1])
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's folder, whose modules this process forgets afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for variable in (ITEMS, TAKE):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "several.py").write_text(MODULE)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def results(workload: Workload, **arguments: Any) -> list[Any]:
    return list(compute(*workload.build(**arguments).collections, scheduler=get_sync))


def refused(target: str, items: str | None = None) -> str:
    with pytest.raises(UserError) as raised:
        chosen([target], items)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_function_is_called_with_each_item() -> None:
    workload = workload_of("mine.py:plain", "[1, 2, 3]")
    assert results(workload) == [2, 4, 6]
    assert (workload.name, workload.family, workload.summary) == ("mine.py:plain", "own", "Twice as much")
    assert set(workload.sizes) == set(SIZES)


def test_a_function_without_items_is_called_a_few_times_without_arguments() -> None:
    workload = workload_of("mine:no_items")
    assert results(workload) == ["done"] * TASKS
    assert results(workload, items=2, parts=1) == [["done", "done"]]


@pytest.mark.parametrize(
    ("items", "parts", "found"),
    [
        (None, None, [0, 2, 4, 6, 8, 10]),
        (99, None, [0, 2, 4, 6, 8, 10]),
        (2, None, [2, 8]),
        (None, 2, [[0, 2, 4], [6, 8, 10]]),
        (3, 2, [[2], [6, 10]]),
        (3, 9, [[2], [6], [10]]),
    ],
)
def test_fewer_items_and_several_in_a_task(items: int | None, parts: int | None, found: list[Any]) -> None:
    assert results(workload_of("mine.py:plain", "range(6)"), items=items, parts=parts) == found


def test_a_task_gets_its_item_as_it_is_without_being_looked_into() -> None:
    workload = workload_of("builtins:type", "[[1, 2], (3,), {'a': [4]}, range(3)]")
    assert results(workload) == [list, tuple, dict, range]
    assert isinstance(workload.build, Calls)
    assert workload.build.arguments[0][0] == [1, 2]


@pytest.mark.parametrize(("total", "count", "at"), [(10, 1, [5]), (10, 2, [2, 7]), (3, 3, [0, 1, 2]), (1, 5, [0])])
def test_values_are_spread_over_all(total: int, count: int, at: list[int]) -> None:
    assert list(spread(range(total), count)) == at


def test_batches_keep_every_value_in_order_and_are_even() -> None:
    assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4, 5]]
    assert [len(batch) for batch in batches(range(44), 8)] == [5, 6, 5, 6, 5, 6, 5, 6]


def test_the_environment_gives_items_and_how_many_to_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ITEMS, "range(100)")
    assert len(results(workload_of("mine.py:plain"))) == 100
    monkeypatch.setenv(TAKE, "5")
    workload = workload_of("mine.py:plain")
    assert results(workload, **workload.sizes["default"]) == [20, 60, 100, 140, 180]


@pytest.mark.parametrize(
    ("target", "items", "found"),
    [
        ("mine.py:dial", "[1]", [2]),
        ("mine.py:partial", "[3]", [8]),
        ("mine.py:own.times", "[5]", [15]),
        ("mine.py:cached.__wrapped__", "[5]", [10]),
        ("mine.py:decorated", "[5]", [10]),
        ("math:factorial", "[5]", [120]),
        ("os.path:basename", "['a/b']", ["b"]),
    ],
)
def test_whatever_can_be_called(target: str, items: str, found: list[Any]) -> None:
    assert results(workload_of(target, items)) == found


def test_a_class_can_be_called() -> None:
    (made,) = results(workload_of("mine.py:Own", "[4]"))
    assert made.n == 4


def test_a_file_of_a_package_is_imported_as_part_of_it(folder: Path) -> None:
    (folder / "pack" / "sub").mkdir(parents=True)
    for place in ("pack", "pack/sub"):
        (folder / place / "__init__.py").touch()
    (folder / "pack" / "sub" / "mod.py").write_text("from ..helper import help\ndef f(): return help()\n")
    (folder / "pack" / "helper.py").write_text("def help(): return 'helped'\n")
    workload = workload_of("pack/sub/mod.py:f")
    assert workload.modules == ("pack.sub.mod",)
    assert results(workload, items=1) == ["helped"]


def test_what_a_function_builds_is_measured() -> None:
    assert results(workload_of(graph("mine.py:three"))) == [0, 2, 4]
    assert graph(graph("mine:one")) == "mine:one()"
    single, several = chosen(["mine:one()", "mine:three()"])
    assert single.collection, "it has a default scheduler, and is computed both ways"
    assert not several.collection
    assert results(single) == [40]


def test_a_module_has_all_workloads_that_were_made_there() -> None:
    first, second = chosen(["several.py"])
    assert [first.name, second.name] == ["several.py:first", "several.py:second"]
    assert first.family == "own"
    assert results(first, **first.sizes["default"]) == [1, 2, 3]
    assert results(workload_of("several:second"), n=5) == [6]


def test_own_work_comes_after_built_in_workloads_and_each_once() -> None:
    names = [
        workload.name for workload in chosen(["mine.py:no_items", "sort", "several.py:first", "several.py", "s?rt"])
    ]
    assert names == ["sort", "mine.py:no_items", "several.py:first", "several.py:second"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mine.py:plan", "no function 'plan' there: did you mean plain or lazy?"),
        ("mine.py:guarded", 'code under `if __name__ == "__main__":` does not run on import'),
        ("mine.py:generator", "return a list of what it yields"),
        ("mine.py:coroutine", "wrap it with asyncio.run"),
        ("mine.py:cached", "name mine.py:cached.__wrapped__"),
        ("mine.py:made", "give a function that builds it, with --graph"),
        ("mine.py:number", "is of type int: it cannot be called"),
        ("mine.py:plain", "give it some with --items: missing a required argument: 'n'"),
        ("mine.py:none()", "must return a dask object or a list of them, but returns something of type int"),
        ("mine.py:empty()", "returns an empty list"),
        ("mine.py:fails()", "raised OSError: no data (mine.py:"),
        ("mine.py:plain()", "is called without arguments, as it builds what to measure"),
        ("mine.py", "has no workload: name a function of it, mine.py:function"),
        ("none.py:f", "there is no file none.py"),
        ("__main__:f", "name the file"),
        ("mine.py:", "names nothing: write my_file.py:function"),
        (":f", "names nothing"),
        ("mine.py:plain:x", "names nothing"),
        ("no_such.module:f", "ModuleNotFoundError: No module named 'no_such'"),
        ("sort:x", "cannot be imported"),
        ("srot", "did you mean sort"),
        ("mine", "did you mean mine.py?"),
        ("xyzzy", "your own work is named my_file.py:function"),
    ],
)
def test_a_target_that_cannot_be_measured_is_one_line(target: str, said: str) -> None:
    assert said in refused(target)


def test_items_need_a_function_that_takes_them() -> None:
    assert "too many positional arguments" in refused("mine.py:no_items", "[1]")
    for target in ("sort", "several.py", "mine:one()"):
        assert "--items are for a function of your own" in refused(target, "[1]")


def test_a_module_with_several_workloads_is_not_a_single_target() -> None:
    with pytest.raises(UserError, match=r"name one, several\.py:first or several\.py:second"):
        workload_of("several.py")


@pytest.mark.parametrize("name", ["random", "time", "dask", "__main__"])
def test_a_file_named_like_another_module_is_refused(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text("def f(): return 1\n")
    assert f"another module is named {name!r} too: rename {name}.py" in refused(f"{name}.py:f")


def test_a_file_next_to_it_named_like_a_standard_module_breaks_nothing(folder: Path) -> None:
    (folder / "colorsys.py").write_text("raise RuntimeError('the wrong one')\n")
    (folder / "uses.py").write_text("import colorsys\ndef f(): return colorsys.__name__\n")
    assert results(workload_of("uses.py:f"), items=1) == ["colorsys"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_library\n", "No module named 'no_such_library' (broken.py:1)"),
        (
            "\nimport sys\nsys.exit(4)\n",
            "SystemExit: 4 (broken.py:3); what it runs as a script belongs under `if __name__",
        ),
        ("def (", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported(folder: Path, source: str, said: str) -> None:
    (folder / "broken.py").write_text(source)
    assert said in refused("broken.py:f")


def test_what_a_module_prints_is_not_part_of_the_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "loud.py").write_text("print('hello')\ndef f(): return 1\n")
    workload_of("loud.py:f")
    assert capsys.readouterr().out == ""


def test_items_from_files_and_expressions(folder: Path) -> None:
    (folder / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8-sig")
    (folder / "b.json").write_text(json.dumps([1, [2]]))
    assert items_of("a.txt", {}) == ["one", "two"]
    assert items_of("b.json", {}) == [1, [2]]
    assert items_of("glob('*.txt')", {}) == ["a.txt"]
    assert items_of("[k * number for k in range(2)]", {"number": 3}) == [0, 3]
    assert items_of(str(list(range(1000))), {}) == list(range(1000)), "longer than any file name"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "gives no items"),
        ("5", "write a list, such as"),
        ("none.txt", "no such file, and as Python NameError: name 'none' is not defined"),
        ("[1,", "no such file, and as Python SyntaxError"),
        ("__import__('itertools').count()", "gives over 1,000,000 items"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_text_that_gives_no_items(text: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        items_of(text, {})
    assert said in str(raised.value)


def observed(target: str, items: str | None = None, scheduler: str = "threads") -> Observation:
    threads = 2 if scheduler == "threads" else 1
    order = Order(Case(target, "tiny", scheduler, 1, threads), 0, 7, "function", 0.01)
    with Workers(60, {} if items is None else {ITEMS: items}) as workers:
        return workers(order)


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes", "loky", "distributed", "processes-default"])
def test_every_scheduler_finds_a_lambda_of_the_users(scheduler: str) -> None:
    found = observed("mine.py:dial", "range(4)", scheduler)
    assert found.failure is None
    assert found.metadata["tasks"] == 4
    assert found.metadata["family"] == "own"
    assert "unchecked" not in found.metadata


def test_a_module_of_the_users_and_a_graph_run_in_processes() -> None:
    for target in ("several.py:first", "mine:three()"):
        assert observed(target, scheduler="processes").failure is None


def test_a_result_that_differs_from_call_to_call_is_measured_and_not_checked() -> None:
    found = observed("mine.py:draw", "[1, 2]")
    assert found.failure is None
    assert str(found.metadata["unchecked"]).startswith("its result differs from call to call: at [0]: got 0.")


def test_a_result_that_cannot_be_compared_is_measured_and_not_checked() -> None:
    found = observed("mine.py:lock", "[1, 2]")
    assert found.failure is None
    assert (
        found.metadata["unchecked"] == "at [0]: cannot be compared: objects of type lock are equal only to themselves"
    )


@pytest.mark.parametrize(
    ("target", "items", "said"),
    [
        ("mine.py:breaks", "[1, 2, 3]", "ValueError: a bad thing (item 2, mine.py:"),
        ("mine.py:leaves", "[1]", "SystemExit: bye (item 1, mine.py:"),
        (
            "mine.py:lazy",
            "[3]",
            "its result is of type generator and not computed yet: return a list of what it yields",
        ),
        ("gone.py:f", None, "'gone.py:f': there is no file gone.py"),
    ],
)
def test_what_goes_wrong_in_a_task_is_one_line(target: str, items: str | None, said: str) -> None:
    failure = observed(target, items).failure
    assert failure is not None
    assert failure.kind == "raised"
    assert failure.reason.startswith(said)


def test_what_cannot_be_pickled_fails_under_processes_alone() -> None:
    assert observed("mine.py:lock", "[1]", "threads").failure is None
    assert observed("mine.py:lock", "[1]", "processes").failure == Failure(
        "raised",
        "TypeError: cannot pickle '_thread.lock' object",
    )


def call(*arguments: str) -> str:
    result = CliRunner().invoke(gilbench, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_line_takes_own_work_alongside_built_in_workloads() -> None:
    targets = ["run", "sleep", "several.py", "mine.py:plain", "--items", "[1]", "--graph", "mine.py:one"]
    cases = call(*targets, "--dry-run", "--scheduler", "threads", "--size", "tiny", "--workers", "1").splitlines()
    names = ("sleep", "several.py:first", "several.py:second", "mine.py:plain", "mine.py:one()")
    assert {f"{name}:tiny:threads:1x1:leveled" for name in names} <= set(cases)


def test_a_probe_takes_a_whole_module() -> None:
    page = call("probe", "several.py", "--probe", "inner_threads", "--scheduler", "sync", "--size", "tiny")
    assert "several.py:first" in page
    assert "several.py:second" in page


def test_items_are_part_of_the_plan_so_that_a_run_can_be_resumed() -> None:
    asked = options(workloads=("mine.py:plain",), items="[1, 2]", schedulers=("sync",))
    software = Software(sys.executable, {}, MACHINE, {}, {}, "")
    assert planning.plan(asked, software).environment == {ITEMS: "[1, 2]"}


def test_a_run_whose_file_is_gone_is_not_resumed(folder: Path) -> None:
    begun = replace(plan([Case("mine.py:plain", "tiny", "sync")]), environment={ITEMS: "[1]"})
    before, software = Result("r", begun, MACHINE), Software(sys.executable, {}, MACHINE, {}, {}, "")
    assert resuming.resumed(before, folder / "r.json", options(), software) == before
    (folder / "mine.py").rename(folder / "yours.py")
    with pytest.raises(UserError, match=r"there is no file mine\.py"):
        resuming.resumed(before, folder / "r.json", options(), software)


def test_the_conclusion_says_once_what_was_not_checked_and_why_cases_failed() -> None:
    cases = [Case("mine.py:f", "tiny", scheduler) for scheduler in ("sync", "threads", "processes")]
    orders = [Order(case, 0, 7, "function", 0.1) for case in cases]
    why = "its result differs from call to call"
    seen = [observation(orders[1], 0.1, unchecked=why), observation(orders[2], 0.1, unchecked=why)]
    failed = [
        replace(observation(order, 0.1), failure=Failure("raised", "ValueError: bad (item 2)")) for order in orders[:2]
    ]
    text = narration.conclusion(Result("r", plan(cases), MACHINE, (*seen, *failed)), Path("r.json"))
    assert text.count(f"not checked: mine.py:f: {why}\n") == 1
    assert "failed: mine.py:f:tiny:sync:1x1, mine.py:f:tiny:threads:1x1: raised: ValueError: bad (item 2)\n" in text
