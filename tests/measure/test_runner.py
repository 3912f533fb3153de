"""A run from options to exit code: mistakes, other interpreters, and probes after the timings; scripted workers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.errors import Failure, UserError
from gilbench.measure import narration, prober, resuming, runner, software
from gilbench.measure.rounds import Interrupted
from gilbench.process import interpreters
from gilbench.results.records import Probing
from gilbench.results.result_file import load
from tests.measure.scripted_run import OTHER, installed, options, timed
from tests.scripted import MACHINE, Script


def test_a_new_result_is_named_after_another_interpreter() -> None:
    assert runner.new_name(options(), None).endswith("-quick")
    assert runner.new_name(options(), OTHER).endswith("-quick-py3.13t")
    assert runner.new_name(options(name="mine"), OTHER) == "mine"
    with pytest.raises(UserError, match="must be a plain file name"):
        runner.new_name(options(name="../mine"), None)


def test_our_own_interpreter_measures_everything_and_needs_no_variables() -> None:
    ours = software.here()
    assert (ours.environment, ours.schedulers, ours.lacking, ours.tag) == ({}, {}, {}, "")
    assert ours.machine == software.fingerprint()


def test_an_unknown_interpreter_is_one_line_before_anything_is_made(tmp_path: Path) -> None:
    for name in ("9.99", ""):
        with pytest.raises(UserError, match=f"no interpreter '{name}'"):
            runner.run(options(python=name, results=tmp_path / "results"), io.StringIO(), io.StringIO())
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_found_before_an_environment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    (tmp_path / "there.json").touch()
    for wrong, line in (
        ({"workloads": ("no_such",)}, "no workload or family matches"),
        ({"sizes": ("huge",)}, "no size is named"),
        ({"data": f"{tmp_path}/*.csv"}, "no file matches --data"),
        ({"name": "there"}, "already exists"),
        ({"resume": True}, "no unfinished run"),
        (
            {"packages": ("./pandas.whl",)},
            "--with './pandas.whl' is not a package with a version, such as pandas==3.0.3",
        ),
        ({"packages": ("pandas @ file:///home/x",)}, "is not a package with a version"),
    ):
        with pytest.raises(UserError, match=line):
            runner.run(options(python="3.13t", results=tmp_path, **wrong), io.StringIO(), io.StringIO())


def test_packages_need_another_interpreter(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^--with changes the environment of another interpreter: name that one with --python$"
    ):
        runner.run(options(packages=("pandas==3.0.3",), results=tmp_path), io.StringIO(), io.StringIO())


def test_ctrl_c_while_an_environment_is_made_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software, "measuring", interrupt)
    err = io.StringIO()
    assert runner.run(options(python="3.13t", results=tmp_path), err, io.StringIO()) == 130
    assert err.getvalue() == "interrupted\n"


def test_a_dry_run_says_what_would_be_measured_with_another_interpreter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(
        software, "prepared", lambda *given, **more: nullcontext(installed(lacking={"csv_text": "pyarrow"}))
    )
    out = io.StringIO()
    asked = options(
        python="3.13t", dry_run=True, workloads=("csv_text", "sleep"), schedulers=("sync",), results=tmp_path
    )
    assert runner.run(asked, io.StringIO(), out) == 0
    assert out.getvalue() == "sleep:small:sync:1x1:leveled\n"
    assert list(tmp_path.iterdir()) == []


def test_workers_run_on_the_other_interpreter_and_the_result_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    seen = []

    class Recording(Script):
        def __init__(self, timeout: float, environment: dict[str, str], python: str) -> None:
            super().__init__()
            seen.append((environment, python))

        def __enter__(self) -> Recording:
            return self

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software, "prepared", lambda *given, **more: nullcontext(installed()))
    monkeypatch.setattr(runner, "Workers", Recording)
    asked = options(python="/some/python", workloads=("sleep",), schedulers=("sync",), results=tmp_path)
    assert runner.run(asked, io.StringIO(), io.StringIO()) == 0
    assert seen == [({"GILBENCH_PYTHON": "3.13t", "PYTHONPATH": "/code"}, "/some/python")]
    (path,) = tmp_path.glob("*-quick-py3.13t.json")
    assert load(path).plan.environment == {"GILBENCH_PYTHON": "3.13t"}
    assert load(path).machine == dict(MACHINE)
    assert "/code" not in path.read_text() and "/some" not in path.read_text()


def scripted_probes(monkeypatch: pytest.MonkeyPatch, script: Callable[[str], Probing] | None = None) -> list[str]:
    """Replace the probing of one workload by a script; return the list that says what was probed."""
    probed = list[str]()

    def probe(workload: str, size: str, schedulers: object, names: object, start: object) -> Probing:
        probed.append(workload)
        return script(workload) if script else Probing(workload, size, {"gil": {"sync": {"held": 0.5}}}, {})

    monkeypatch.setattr(prober, "probe", probe)
    return probed


def never(case: Case) -> Any:
    raise AssertionError("the script starts no process")


def test_what_was_timed_is_probed_and_kept_in_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed, said = scripted_probes(monkeypatch), list[str]()
    result = timed(tmp_path, 3, {"w1:default:sync:1x1": Failure("raised", "ValueError: no")})
    explained = runner.explained(result, tmp_path / "r.json", never, said.append)
    assert probed == ["w0", "w2", prober.ANY], "w1 failed: there is no timing to explain"
    assert said == ["probing 1/3: w0", "probing 2/3: w2", "probing 3/3: the schedulers"]
    kept = load(tmp_path / "r.json")
    assert kept.probes == explained.probes and [probing.workload for probing in kept.probes] == ["w0", "w2", ""]
    assert len(kept.observations) == len(result.observations)


def test_where_nothing_was_timed_nothing_is_probed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed = scripted_probes(monkeypatch)
    result = timed(tmp_path, 1, {"w0:default:sync:1x1": Failure("raised", "ValueError: no")})
    assert runner.explained(result, tmp_path / "r.json", never, print) == result
    assert probed == []


def test_ctrl_c_while_probing_keeps_timings_and_probes_and_the_rest_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(workload: str) -> Probing:
        if workload == "w1":
            raise KeyboardInterrupt
        return Probing(workload, "default", {}, {})

    scripted_probes(monkeypatch, interrupted)
    result, path = timed(tmp_path), tmp_path / "r.json"
    with pytest.raises(Interrupted, match=r"kept in .*r.json; continue with `gilbench run --resume --name r --probe`$"):
        runner.explained(result, path, never, print, again=" --probe")
    kept = resuming.interrupted_run(options(results=tmp_path, name="r", probe=True), None)
    assert [probing.workload for probing in kept.probes] == ["w0"]
    assert kept.observations == load(path).observations and len(kept.observations) == len(result.observations)
    probed = scripted_probes(monkeypatch)
    assert [probing.workload for probing in runner.explained(kept, path, never, print).probes] == ["w0", "w1", ""]
    assert probed == ["w1", prober.ANY], "what was found is not asked again"


def test_no_probe_begins_when_the_time_is_up_and_the_conclusion_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((1.0, 9.0, 99.0))
    monkeypatch.setattr(runner.time, "monotonic", lambda: next(clock))
    probed = scripted_probes(monkeypatch)
    result = runner.explained(timed(tmp_path, 4), tmp_path / "r.json", never, print, until=10.0)
    assert probed == ["w0", "w1"]
    text = narration.conclusion(result, Path("r.json"), probed=True)
    assert "not probed (max time): w2, w3, the schedulers" in text.splitlines()
    assert "not probed" not in narration.conclusion(result, Path("r.json"))


def test_a_run_with_probes_times_first_and_probes_with_the_same_software(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    order = list[object]()

    class Recording(Script):
        def __init__(self, *given: object) -> None:
            super().__init__()

        def __enter__(self) -> Recording:
            return self

        def __exit__(self, *error: object) -> None:
            order.append("timed")

    def live(case: Case, timeout: float, environment: dict[str, str], python: str) -> nullcontext[None]:
        order.append((case.scheduler, timeout, environment, python))
        return nullcontext()

    def probe(
        workload: str, size: str, schedulers: list[str], names: object, start: Callable[[Case], object]
    ) -> Probing:
        order.append(workload)
        start(Case(workload, size, schedulers[0]))
        return Probing(workload, size, {}, {"gil": {"sync": "no /proc here"}})

    monkeypatch.setattr(interpreters, "find", lambda name: OTHER)
    monkeypatch.setattr(software, "prepared", lambda *given, **more: nullcontext(installed()))
    monkeypatch.setattr(runner, "Workers", Recording)
    monkeypatch.setattr(runner, "LiveProbed", live)
    monkeypatch.setattr(prober, "probe", probe)
    asked = options(python="3.13t", workloads=("sleep",), schedulers=("sync",), results=tmp_path, name="r", probe=True)
    out, err = io.StringIO(), io.StringIO()
    assert runner.run(asked, err, out) == 0
    process = ("sync", 10.0, {"GILBENCH_PYTHON": "3.13t", "PYTHONPATH": "/code"}, "/some/python")
    assert order == ["timed", "sleep", process, prober.ANY, process]
    assert "probing 1/2: sleep\nprobing 2/2: the schedulers\n" in err.getvalue()
    assert "unavailable: gil of sleep, the schedulers: no /proc here\n" in out.getvalue()
    assert [probing.workload for probing in load(tmp_path / "r.json").probes] == ["sleep", ""]
    again = io.StringIO()
    assert runner.run(replace(asked, resume=True), again, io.StringIO()) == 0
    assert again.getvalue() == "", "nothing is timed or probed a second time"
    assert order.count("timed") == 1
