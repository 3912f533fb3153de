"""The command line as a user meets it: help, lists, mistakes in one line, exit codes, and one real run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gilbench import __version__
from gilbench.commands.group import gilbench
from gilbench.commands.shared.options import Seconds, Threshold
from gilbench.machine import fingerprint
from gilbench.results.records import Probing
from gilbench.results.result_file import load, save
from tests.results.test_result_file import a_result


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(gilbench, [str(argument) for argument in arguments])


def mistake(*arguments: str | Path) -> str:
    """The one line that a mistake prints."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if not line.startswith(("Usage:", "Try ")) and line]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


def loaded_by(*arguments: str) -> set[str]:
    code = (
        "import json, sys\nfrom gilbench.commands.group import gilbench\n"
        "try: gilbench(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["list"], ["run", "--help"], ["run", "no_such"], ["nonsense"], ["run", "--x"]],
)
def test_help_lists_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    assert not {"dask", "pandas", "numpy", "matplotlib", "scipy", "distributed", "pyperf"} & loaded_by(*arguments)


def test_list_names_every_workload_and_scheduler() -> None:
    from gilbench.schedulers import all_schedulers
    from gilbench.targets.builtin import all_workloads

    output = call("list").output
    for name in (*all_workloads(), *all_schedulers()):
        assert f"  {name} " in output


FINDINGS = {
    "gil": {"sync": {"held": "x", "low": [], "high": None}},
    "traffic": {"sync": {"to_tasks_bytes": "x"}},
    "granularity": {"sync": {"chain": 3}},
    "timeline": {"sync": {"tasks": [["x"]]}},
}


def test_malformed_findings_and_unknown_sizes_are_said_in_one_line(tmp_path: Path) -> None:
    result = a_result()
    odd = [replace(o, case=replace(o.case, size="odd")) for o in result.observations]
    plan = replace(result.plan, cases=tuple(replace(case, size="odd") for case in result.plan.cases))
    probes = (Probing("w", "odd", FINDINGS, {}),)
    save(replace(result, plan=plan, observations=tuple(odd), probes=probes), tmp_path / "r.json")
    for arguments in (["show"], ["claims"], ["plot", "-o", tmp_path / "p"], ["report", "-o", tmp_path / "r.html"]):
        done = call(*arguments, tmp_path / "r.json")
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        if arguments[0] == "plot":
            lines = [line for line in done.stderr.splitlines() if "probe is malformed" in line]
            assert {line.split(": ")[1] for line in lines} == {"gil", "granularity", "timeline", "traffic"}


def test_a_mistake_that_quotes_a_file_has_no_control_characters(tmp_path: Path) -> None:
    assert "\x1b" not in mistake("show", tmp_path / "\x1b[31m.json")


def test_mistakes_are_one_line_that_names_the_thing_and_the_fix(tmp_path: Path) -> None:
    assert "no workload or family matches 'srot': did you mean sort or sqrt_sum?" in mistake("run", "srot")
    assert "did you mean processes or processes-default?" in mistake("run", "--scheduler", "proceses")
    assert "no size is named" in mistake("run", "--size", "huge")
    assert "no file matches --data" in mistake("run", "--data", f"{tmp_path}/*.csv", "-o", tmp_path)
    assert "nothing to measure" in mistake("run", "sleep", "--scheduler", "threads", "--workers", "99", "-o", tmp_path)
    assert "no unfinished run" in mistake("run", "--resume", "-o", tmp_path)
    assert "no unfinished run 'a'" in mistake("run", "--resume", "--name", "a", "-o", tmp_path)
    assert "must be a plain file name" in mistake("run", "--name", "../x", "-o", tmp_path)
    assert "cannot read" in mistake("show", tmp_path / "none.json")
    assert "no format is named 'xml'" in mistake("show", "--format", "xml")
    (tmp_path / "broken.json").write_text("{")
    for command in ("show", "claims", "plot"):
        assert "is not a result file of gilbench" in mistake(command, tmp_path / "broken.json")


def test_mistakes_in_a_check_are_one_line_and_measure_nothing() -> None:
    assert "no revision 'no-such-branch' here" in mistake("check", "--base", "no-such-branch")
    assert "no folder '/no/such/folder'" in mistake("check", "--base", "path=/no/such/folder")
    assert "is not an arm" in mistake("check", "--base", "branch=main")
    assert "is not a percentage" in mistake("check", "--threshold", "much")
    assert "must be above 0" in mistake("check", "--threshold", "sort=0%")
    assert "is not a time: write 20us, 1ms or 0.5s" in mistake("check", "--floor", "soon")
    assert "head can only be slowed down" in mistake("check", "--inject=-5%")


@pytest.mark.parametrize(
    "line",
    [
        "advise my_file.py:function --items 'range(8)' --once --size tiny --timeout 5 --json",
        "advise my_file.py:build --graph",
        "check sort csv_* --base v1 --head path=. --scheduler sync --size small --threshold 5% --threshold sort=1%"
        " --floor 1ms --max-time 60 --timeout 5 --strict --seed 1 -o out",
        "check tests/test_a.py -k 'a and not b' --isolate --benchmarks each --command 'python -c pass' --items '[1]'",
        "check --aa --inject 5% --markdown a.md --junit a.xml --json a.json --bencher b.json --action-benchmark c.json",
        "check --base v1 --history h.jsonl --profile --with pandas==3.0.3 --setup make",
        "claims results/a.json --format markdown",
        "compare a.json b.json --ratios --threshold 5% --format junit --strict",
        "history h.jsonl --add a.json --format json",
        "list",
        "new my_work",
        "plot a.json b.json -o plots",
        "probe sort --graph my_file.py:build --items a.txt --probe gil --scheduler threads --size tiny --timeout 5 --json",
        "report a.json -o page.html",
        "run sort --graph my_file.py:build --items a.txt --profile quick --scheduler threads --size tiny --workers 2"
        " --data *.csv --python 3.13t --with pandas==3.0.3 --name a -o out --probe --max-time 60 --precision 0.1"
        " --max-observations 3 --timeout 5 --seed 1 --dry-run",
        "run --resume --name a",
        "show a.json --format csv",
    ],
)
def test_every_command_parses_its_options(line: str) -> None:
    name, *arguments = shlex.split(line)
    assert gilbench.commands[name].make_context(name, arguments).args == []


def test_every_option_of_every_command_is_among_the_lines_that_parse() -> None:
    (mark,) = (mark for mark in test_every_command_parses_its_options.pytestmark if mark.name == "parametrize")
    given: dict[str, set[str]] = {}
    for line in mark.args[1]:
        name, *arguments = shlex.split(line)
        given.setdefault(name, set()).update(arguments)
    assert set(given) == set(gilbench.commands)
    for name, command in gilbench.commands.items():
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or set(parameter.opts) & given[name], (name, parameter.opts)


def test_the_version_is_one_line_and_as_data_it_has_what_an_issue_needs() -> None:
    assert call("--version").output == f"gilbench, version {__version__}\n"
    for arguments in (["--version", "--json"], ["--json", "--version"]):
        found = json.loads(call(*arguments).output)
        assert found == {"gilbench_version": __version__, **fingerprint()}
    assert "--json before a command needs --version" in mistake("--json", "list")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3%", ("*", 0.03)),
        ("0.05", ("*", 0.05)),
        ("sort=5%", ("sort", 0.05)),
        ("csv_*=0.5%", ("csv_*", 0.005)),
        ("*=10%", ("*", 0.1)),
    ],
)
def test_a_threshold_is_of_everything_or_of_a_pattern(text: str, found: tuple[str, float]) -> None:
    pattern, fraction = Threshold().convert(text, None, None)
    assert pattern == found[0]
    assert fraction == pytest.approx(found[1])


@pytest.mark.parametrize("text", ["", "%", "sort=", "sort", "0", "-3%", "nan%", "inf", "5%%", "=%"])
def test_thresholds_that_are_none(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"percentage|above 0"):
        Threshold().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20us", 2e-5),
        ("20 µs", 2e-5),
        ("1ms", 1e-3),
        ("0.5s", 0.5),
        ("3", 3.0),
        ("1e-3", 1e-3),
        ("5ns", 5e-9),
        ("0", 0),
    ],
)
def test_a_time_with_its_unit(text: str, seconds: float) -> None:
    assert Seconds().convert(text, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "ms", "-1ms", "1.2.3s", "1e999", "nan", "5m", "1 2s"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time"):
        Seconds().convert(text, None, None)


def test_a_result_is_never_overwritten(tmp_path: Path) -> None:
    save(a_result(), tmp_path / "r.json")
    before = (tmp_path / "r.json").read_bytes()
    assert "already exists" in mistake("run", "sleep", "--name", "r", "-o", tmp_path)
    assert (tmp_path / "r.json").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot write" in mistake("run", "sleep", "-o", tmp_path / "file")
    save(a_result(), tmp_path / "r.json")
    assert "name another folder with -o" in mistake("plot", tmp_path / "r.json", "-o", tmp_path / "file")


def test_a_run_is_not_resumed_on_other_software(tmp_path: Path) -> None:
    from gilbench.results.journal import Journal
    from tests.scripted import MACHINE, plan

    Journal(tmp_path / "a.jsonl", plan(), {**MACHINE, "python_version": "2.7"}, new=True).close()
    assert "was started with" in mistake("run", "--resume", "-o", tmp_path)


def test_dry_run_says_what_would_be_measured_and_writes_nothing(tmp_path: Path) -> None:
    result = call("run", "sort", "--scheduler", "threads", "--dry-run", "-o", tmp_path)
    assert "sort:default:sync:1x1" in result.output.splitlines()
    assert list(tmp_path.iterdir()) == []


def test_show_and_claims_print_a_result_in_every_format(tmp_path: Path) -> None:
    save(a_result(), tmp_path / "r.json")
    for command in (
        ["show"],
        ["show", "--format", "markdown"],
        ["show", "--format", "csv"],
        ["show", "--format", "json"],
    ):
        assert "threads" in call(*command, tmp_path / "r.json").output
    assert "cannot tell" in call("claims", tmp_path / "r.json").output


@pytest.mark.parametrize("command", [[sys.executable, "-m", "gilbench"], ["gilbench"], ["dask", "bench"]])
def test_it_is_called_by_three_names(command: list[str]) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*command, "list"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "sum_of_squares" in done.stdout


def test_the_dask_command_line_finds_it() -> None:
    assert [e.value for e in entry_points(group="dask_cli") if e.name == "bench"] == [
        "gilbench.commands.group:gilbench"
    ]


@pytest.mark.serial
def test_one_real_run_of_every_family_then_show_claims_and_plots(tmp_path: Path) -> None:
    environment = {**os.environ, "GILBENCH_CACHE": str(tmp_path / "cache"), "NO_COLOR": "1"}
    command = [
        sys.executable,
        "-m",
        "gilbench",
        "run",
        "--profile",
        "quick",
        "--size",
        "tiny",
        "--max-observations",
        "1",
    ]
    done = subprocess.run(
        [*command, "--max-time", "400", "-o", str(tmp_path), "--name", "all"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stderr and "\r" not in done.stderr, "piped output stays plain"
    result = load(tmp_path / "all.json")
    assert {o.case for o in result.observations} == set(result.plan.cases)
    assert "return_bytes" in call("show", tmp_path / "all.json").output
    assert "holds" in call("claims", tmp_path / "all.json").output
    plotted = call("plot", tmp_path / "all.json", "-o", tmp_path / "plots")
    assert plotted.exit_code == 0, plotted.output
    assert (tmp_path / "plots" / "speedup.svg").exists()


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="an arm's worker is started the POSIX way")
def test_one_real_check_of_the_working_tree_with_itself(tmp_path: Path) -> None:
    environment = {**os.environ, "GILBENCH_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "gilbench", "check", "--aa", "sleep", "--size", "tiny", "--max-time", "15"]
    done = subprocess.run([*command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "software: the same in both arms" in done.stderr
    assert "sleep:tiny:threads:" in done.stdout
    assert "the same in both arms" in done.stdout
    assert not list(tmp_path.glob("gilbench-*")), "nothing is left behind"


@pytest.mark.serial
def test_what_fails_is_named_all_others_go_on_and_the_exit_code_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    environment = {**os.environ, "GILBENCH_DATA": str(tmp_path / "a.csv")}
    command = [
        sys.executable,
        "-m",
        "gilbench",
        "run",
        "csv_max_price",
        "sleep",
        "--scheduler",
        "threads",
        "--size",
        "tiny",
    ]
    done = subprocess.run(
        [*command, "--max-observations", "1", "-o", str(tmp_path / "out"), "--name", "f"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(
        r"^failed: csv_max_price:tiny:.*: raised: .*a\.csv \(from GILBENCH_DATA\) has no column price",
        done.stdout,
        re.M,
    )
    assert "Traceback" not in done.stdout + done.stderr
    result = load(tmp_path / "out" / "f.json")
    assert {o.case.workload for o in result.observations if not o.failure} == {"sleep"}
