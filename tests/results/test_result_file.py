"""Result files: pyperf's own commands on them, round trips, and files that are none."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyperf
import pytest

from gilbench.cases.case import Case
from gilbench.errors import Failure, UserError
from gilbench.measure.rounds import Ledger, run_rounds
from gilbench.results.format_version import FORMAT
from gilbench.results.journal import Journal
from gilbench.results.records import Observation, Result
from gilbench.results.result_file import load, newest, save
from tests.scripted import MACHINE, Script, noisy, plan

CASES = [
    Case("w", "default", "sync"),
    Case("w", "default", "threads", 1, 2),
    Case("w", "default", "sync", measure="memory"),
    Case("bad", "default", "sync"),
]


def a_result(name: str = "r", *, seed: int = 1) -> Result:
    ledger = Ledger(plan(CASES, seed=seed))
    run_rounds(
        ledger, Script(noisy(0.2), failures={"bad:default:sync:1x1": Failure("raised", "ValueError: <b>no</b>")})
    )
    stops = {case.name: reason for case, reason in ledger.stops.items()}
    return Result(name, ledger.plan, MACHINE, tuple(ledger.observations), stops)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(a_result(), tmp_path / "r.json")
    return tmp_path / "r.json"


def pyperf_command(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pyperf", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["show", "stats", "hist", "check", "dump", "metadata"])
def test_pyperf_opens_it(saved: Path, command: str) -> None:
    assert "w:default:threads:1x2" in pyperf_command(command, str(saved))


def test_pyperf_compares_two(saved: Path, tmp_path: Path) -> None:
    save(a_result(seed=2), tmp_path / "other.json")
    assert "w:default:sync:1x1" in pyperf_command("compare_to", "--verbose", str(saved), str(tmp_path / "other.json"))


def test_there_is_one_benchmark_per_case_and_one_run_per_process(saved: Path) -> None:
    suite = pyperf.BenchmarkSuite.load(str(saved))
    assert sorted(suite.get_benchmark_names()) == sorted(case.name for case in CASES if case.workload == "w")
    result = load(saved)
    benchmark = suite.get_benchmark("w:default:threads:1x2")
    assert benchmark.get_nrun() == sum(o.case == CASES[1] for o in result.observations)
    metadata = benchmark.get_metadata()
    assert (metadata["workload"], metadata["scheduler"], metadata["threads"]) == ("w", "threads", 2)
    assert metadata["cpu_model_name"] == "Test CPU"


def test_what_is_saved_is_what_is_loaded(saved: Path) -> None:
    before, after = a_result(), load(saved)
    assert (after.plan, after.machine, after.stops, after.name) == (before.plan, before.machine, before.stops, "r")
    key = lambda o: (o.round, o.case.name)  # noqa: E731
    for ours, theirs in zip(sorted(before.observations, key=key), sorted(after.observations, key=key), strict=True):
        assert replace(ours, metadata={}) == replace(theirs, metadata={})
        assert set(ours.metadata) <= set(theirs.metadata)


def test_saving_twice_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save(replace(load(saved), name="r"), tmp_path / "again" / "r.json")
    assert json.loads((tmp_path / "again" / "r.json").read_text()) == json.loads(saved.read_text())


def test_names_of_machines_and_folders_are_left_out(tmp_path: Path) -> None:
    secret = {"hostname": "secret-host", "python_executable": "/home/secret/python", "unit": "second", "loops": 1}
    result = a_result()
    observations = [replace(o, metadata={**o.metadata, **secret}) if not o.failure else o for o in result.observations]
    save(replace(result, observations=tuple(observations)), tmp_path / "r.json")
    assert "secret" not in (tmp_path / "r.json").read_text()


def test_a_run_in_which_everything_failed_is_still_a_result(tmp_path: Path) -> None:
    result = a_result()
    failed = tuple(o for o in result.observations if o.failure)
    save(replace(result, observations=failed), tmp_path / "f.json")
    assert load(tmp_path / "f.json").observations == failed


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"gilbench": 3}',
        '{"gilbench": {"plan": {}}, "benchmarks": []}',
        "\x00\x01",
        '{"version": "1.0"}',
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"x.json is not a result file of gilbench") as caught:
        load(path)
    assert "\n" not in str(caught.value)


MALFORMED: dict[str, Callable[[Any], object]] = {
    "a value is text": lambda content: runs(content)[0].update(values=["x"]),
    "a value is 0": lambda content: runs(content)[0].update(values=[0.0]),
    "a value is negative": lambda content: runs(content)[0].update(values=[-1.0]),
    "a value is not a number": lambda content: runs(content)[0].update(values=[math.nan]),
    "a value is infinite": lambda content: runs(content)[0].update(values=[math.inf]),
    "a value is too large": lambda content: runs(content)[0].update(values=[10**400]),
    "a value is absurdly small": lambda content: runs(content)[0].update(values=[1e-300]),
    "a value is absurdly large": lambda content: runs(content)[0].update(values=[1e300]),
    "no value": lambda content: runs(content)[0].update(values=[]),
    "the machine is a list": lambda content: content["gilbench"].update(machine=[]),
    "a fact of the machine is a list": lambda content: content["gilbench"]["machine"].update(gil=[]),
    "a fact of the machine is too large": lambda content: content["gilbench"]["machine"].update(memory_bytes=10**400),
    "a figure is text": lambda content: runs(content)[0]["metadata"].update(open_seconds="abc"),
    "a figure is infinite": lambda content: runs(content)[0]["metadata"].update(tasks=math.inf),
    "the workload is a list": lambda content: runs(content)[0]["metadata"].update(workload=[]),
    "no workers": lambda content: runs(content)[0]["metadata"].update(workers=0),
    "the workers are text": lambda content: runs(content)[0]["metadata"].update(workers="2"),
    "an unknown measure": lambda content: runs(content)[0]["metadata"].update(measure="x"),
    "the round is text": lambda content: runs(content)[0]["metadata"].update(round="x"),
    "a reason is a list": lambda content: content["gilbench"]["failures"][0].update(failure=["raised", []]),
    "the plan has a number for a size": lambda content: content["gilbench"]["plan"]["profile"].update(sizes=[3]),
    "the stops are a list": lambda content: content["gilbench"].update(stops=[]),
    "a finding is a number": lambda content: content["gilbench"].update(probes=[probing(found={"gil": 3})]),
    "a scheduler's finding is a number": lambda content: content["gilbench"].update(
        probes=[probing(found={"gil": {"sync": 3}})]
    ),
    "the findings are a list": lambda content: content["gilbench"].update(probes=[probing(found=[])]),
    "the reasons are text": lambda content: content["gilbench"].update(probes=[probing(reasons={"gil": "x"})]),
    "a reason is a number": lambda content: content["gilbench"].update(probes=[probing(reasons={"gil": {"sync": 3}})]),
}


def runs(content: Any) -> list[dict[str, Any]]:
    """The runs of the first benchmark, each with all of its metadata, so that a test can change it."""
    found: list[dict[str, Any]] = content["benchmarks"][0]["runs"]
    shared = {**content.get("metadata", {}), **content["benchmarks"][0].get("metadata", {})}
    for run in found:
        run["metadata"] = {**shared, **run.get("metadata", {})}
    return found


def probing(**changes: object) -> dict[str, object]:
    return {"workload": "w", "size": "default", "found": {}, "reasons": {}, **changes}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_result_is_refused_in_one_line(saved: Path, spoil: Callable[[Any], object]) -> None:
    content = json.loads(saved.read_text())
    spoil(content)
    saved.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"r.json is not a result file of gilbench") as caught:
        load(saved)
    assert "\n" not in str(caught.value)


def test_deeply_nested_data_are_refused_in_one_line(tmp_path: Path) -> None:
    for name, what in (("x.json", "a result file"), ("x.jsonl", "a journal")):
        (tmp_path / name).write_text('{"gilbench":' + "[" * 200_000 + "\n")
        with pytest.raises(UserError, match=f"{name} is not {what} of gilbench"):
            load(tmp_path / name)


@pytest.mark.parametrize("changes", [{"values": ["x"]}, {"values": []}, {"metadata": {"tasks": "x"}}, {"round": "x"}])
def test_a_malformed_journal_is_refused_in_one_line(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "r.jsonl"
    journal = Journal(path, plan(CASES), MACHINE, new=True)
    journal.add(next(o for o in a_result().observations if not o.failure))
    journal.close()
    assert len(load(path).observations) == 1
    header, line = path.read_text().splitlines()
    path.write_text(f"{header}\n{json.dumps({**json.loads(line), **changes})}\n")
    with pytest.raises(UserError, match=r"r.jsonl is not a journal of gilbench"):
        load(path)


def with_format(path: Path, version: object) -> Path:
    """Give a result file another version of its format; none at all for None."""
    content = json.loads(path.read_text())
    content["gilbench"]["format"] = version
    if version is None:
        del content["gilbench"]["format"]
    path.write_text(json.dumps(content))
    return path


def test_the_format_is_written(saved: Path) -> None:
    assert json.loads(saved.read_text())["gilbench"]["format"] == FORMAT


def test_a_result_of_a_newer_format_says_to_upgrade_in_one_line(saved: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(with_format(saved, FORMAT + 1))
    assert str(caught.value) == (
        f"{saved} has format {FORMAT + 1}, but this gilbench reads formats up to {FORMAT}: upgrade gilbench"
    )


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", [1], {}])
def test_a_format_that_is_no_version_is_refused(saved: Path, version: object) -> None:
    with pytest.raises(UserError, match=r"r.json is not a result file of gilbench"):
        load(with_format(saved, version))


def test_a_result_that_states_no_format_is_read(saved: Path) -> None:
    assert load(with_format(saved, None)).observations


def test_a_journal_of_a_newer_format_says_to_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    Journal(path, plan(CASES), MACHINE, new=True).close()
    header = json.loads(path.read_text())
    assert header["gilbench"] == FORMAT and load(path).plan == plan(CASES)
    path.write_text(json.dumps({**header, "gilbench": FORMAT + 1}) + "\n")
    with pytest.raises(UserError, match=f"has format {FORMAT + 1}, but this gilbench reads formats up to {FORMAT}"):
        load(path)


REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.json")), ids=lambda path: path.stem)
def test_the_reference_results_of_format_1_still_open(path: Path) -> None:
    result = load(path)
    assert json.loads(path.read_text())["gilbench"]["format"] == 1
    assert result.observations and result.machine and result.plan.cases


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="it is not text"):
        load(tmp_path / "x.json")


def test_a_result_is_parsed_and_never_evaluated(tmp_path: Path) -> None:
    result = a_result()
    evil = replace(
        result.observations[0], metadata={**result.observations[0].metadata, "x": "__import__('os').abort()"}
    )
    save(replace(result, observations=(evil,)), tmp_path / "e.json")
    assert load(tmp_path / "e.json").observations[0].metadata["x"] == "__import__('os').abort()"


def test_a_missing_file_or_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*none.json: No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(UserError, match="make one with `gilbench run`"):
        newest(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        save(a_result(), tmp_path / "file" / "r.json")


def test_the_median_of_a_process_is_its_one_number() -> None:
    assert Observation(CASES[0], 0, 1, "function", 1.0, (3.0, 1.0, 2.0)).value == 2.0
