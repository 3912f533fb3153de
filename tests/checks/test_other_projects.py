"""A check in somebody else's repository, for real: its own benchmarks, and folders that may have the names of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.arms.repositories import git

pytestmark = pytest.mark.serial


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with packages `bench`, `workloads`, and `tests` of its own, and a changed working tree."""
    folder = tmp_path / "project"
    for name in ("bench", "workloads", "tests"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise ImportError('this is not what gilbench needs')\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "bench" / "more.py").write_text("MORE = 1\n")
    return folder


def test_packages_called_bench_and_workloads_do_not_hide_ours(project: Path, tmp_path: Path) -> None:
    verdicts = tmp_path / "verdicts.json"
    command = [sys.executable, "-m", "gilbench", "check", "--base", "HEAD", "sum_of_squares", "--max-time", "20"]
    command += [
        "--scheduler",
        "sync",
        "--scheduler",
        "processes",
        "--json",
        str(verdicts),
        "-o",
        str(tmp_path / "results"),
    ]
    done = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GILBENCH_CACHE": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    cases = json.loads(verdicts.read_text())["cases"]
    assert {case["case"].split(":")[2] for case in cases} == {"sync", "processes"}
    for case in cases:
        assert case["kind"] in ("same", "inconclusive", "improvement"), case
        assert case["n"] > 0 and case["reason"] == "", case
    assert "imported from the trees: 0 files" in done.stdout, "the workloads are gilbench's, not the project's"
    assert git(project, "worktree", "list").count("\n") == 1


# --- Its own benchmarks, one of each kind; of what this needs, only pytest is installed

FILES = {
    "src/pkg/__init__.py": "def work(n):\n    return sum(range(n))\n",
    "tests/helpers.py": "SIZE = 2000\n",
    "tests/conftest.py": "import pytest\n@pytest.fixture\ndef size():\n    from helpers import SIZE\n    return SIZE\n",
    "tests/test_speed.py": """
import os
import pytest
from pkg import work

@pytest.mark.parametrize("times", [1, 2])
def test_work(benchmark, size, times):
    assert benchmark(work, size * times) > 0

class TestMore:
    def test_pedantic(self, benchmark):
        benchmark.pedantic(work, setup=lambda: ((500,), {}), rounds=3)
        assert benchmark.stats["mean"] > 0

@pytest.mark.benchmark
def test_marked():
    print("this must not reach the protocol")
    work(2000)

def test_raises(benchmark):
    benchmark(work, None)

def test_dies(benchmark):
    benchmark(os._exit, 3)

@pytest.mark.skip(reason="not today")
def test_skipped(benchmark): ...
""",
    "tests/test_broken.py": "def test_x(benchmark:\n",
    "asv.conf.json": '{"benchmark_dir": "asv_bench"}',
    "asv_bench/__init__.py": "",
    "asv_bench/suite.py": """
from pkg import work

class Suite:
    params = [1000, 2000]
    def setup_cache(self):
        return 7
    def setup(self, cached, n):
        assert cached == 7
        if n == 2000:
            raise NotImplementedError("too long")
    def time_work(self, cached, n):
        work(n)
    def track_size(self, cached, n):
        return n

def timeraw_import():
    return "import json"
""",
    "speed.py": """
import pyperf
from pkg import work

def timed(loops):
    start = pyperf.perf_counter()
    for _ in range(loops):
        work(1000)
    return pyperf.perf_counter() - start

if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.bench_func("work", work, 1000)
    runner.bench_time_func("timed", timed)
    runner.bench_command("start", ["python", "-c", "pass"])
""",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A repository whose working tree is the same as its only revision, but for one function and its benchmark."""
    folder = tmp_path / "suite"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "tests" / "test_old.py").write_text("def test_old(benchmark): ...\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "tests" / "test_old.py").unlink()
    (folder / "src" / "pkg" / "__init__.py").write_text(FILES["src/pkg/__init__.py"] + "def more():\n    return 1\n")
    (folder / "tests" / "test_new.py").write_text(
        "def test_more(benchmark):\n    from pkg import more\n    benchmark(more)\n"
    )
    return folder


def checked(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, dict[str, object]]]:
    """Check a repository; return what was printed, and its verdicts by name."""
    verdicts, before = folder.parent / "verdicts.json", git(folder, "status", "--short")
    command = [sys.executable, "-m", "gilbench", "check", "--json", str(verdicts), "-o", str(folder.parent / "results")]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GILBENCH_CACHE": str(folder.parent)},
    )
    assert git(folder, "status", "--short") == before, "the user's tree is as it was"
    assert git(folder, "worktree", "list").count("\n") == 1
    found = json.loads(verdicts.read_text())["cases"] if verdicts.exists() else []
    return done, {case["case"]: case for case in found}


def test_the_benchmarks_of_every_kind_are_found_and_measured_without_any_of_their_tools(suite: Path) -> None:
    done, cases = checked(suite, "--max-time", "25")
    assert done.returncode in (1, 2), done.stderr
    timed = {name for name, case in cases.items() if case["n"]}
    assert timed == {
        "tests/test_speed.py::test_work[1]",
        "tests/test_speed.py::test_work[2]",
        "tests/test_speed.py::TestMore::test_pedantic",
        "tests/test_speed.py::test_marked",
        "suite.Suite.time_work(1000)",
        "suite.timeraw_import",
        "speed.py::work",
        "speed.py::timed",
        "speed.py::start",
    }
    failed = {name: str(case["reason"]) for name, case in cases.items() if case["kind"] == "failed"}
    assert set(failed) == {"tests/test_speed.py::test_raises", "tests/test_speed.py::test_dies", "tests/test_broken.py"}
    assert "TypeError" in failed["tests/test_speed.py::test_raises"]
    assert "exit code 3" in failed["tests/test_speed.py::test_dies"]
    assert "SyntaxError" in failed["tests/test_broken.py"]
    for line in (
        "skipped: tests/test_speed.py::test_skipped: not today",
        "skipped: suite.Suite.time_work(2000): too long",
        "tests/test_speed.py::test_marked: prints",
        "new: tests/test_new.py::test_more: base cannot run it: ImportError",
        "gone: tests/test_old.py: test_old: only base has it",
        "not compared, as they measure no time: 1 of asv: suite.Suite.track_size",
        "of which differ: src/pkg/__init__.py",
    ):
        assert line in done.stdout
    assert "this must not reach" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_slower_package_is_found_through_heads_benchmark_although_base_has_another(suite: Path) -> None:
    slower = "def work(n):\n    return sum(range(n)) + sum(range(n))\n"
    (suite / "src" / "pkg" / "__init__.py").write_text(slower)
    (suite / "tests" / "helpers.py").write_text("SIZE = 20000\n")
    done, cases = checked(suite, "--max-time", "60", "test_work", "-k", "not 2")
    assert done.returncode == 1, done.stdout + done.stderr
    (case,) = cases.values()
    assert case["kind"] == "regression"
    assert 1.5 < float(str(case["ratio"])) < 6, "both arms take head's size, which is ten times that of base"


def test_a_profile_says_in_which_function_of_the_package_a_benchmark_is_slower(suite: Path) -> None:
    slower = "def more(n):\n    return sum(range(n))\ndef work(n):\n    return sum(range(n)) + more(n)\n"
    (suite / "src" / "pkg" / "__init__.py").write_text(slower)
    done, _ = checked(suite, "--profile", "tests/test_speed.py::test_work[2]")
    assert done.returncode == 0, done.stderr
    name, head, *lines = done.stdout.splitlines()
    assert name == "tests/test_speed.py::test_work[2]" and head.split()[-1] == "function"
    assert any("0 -> 1" in line and line.endswith("pkg/__init__.py:more") for line in lines) or any(
        "1 -> 2" in line and "sum" in line for line in lines
    ), done.stdout
    done, _ = checked(suite, "--profile", "tests/test_speed.py::test_raises")
    assert done.returncode == 2
    assert "tests/test_speed.py::test_raises cannot be profiled: TypeError" in done.stderr.splitlines()[-1]


def test_functions_and_commands_are_checked_too(suite: Path) -> None:
    done, cases = checked(
        suite, "--max-time", "15", "src/pkg/__init__.py:work", "--items", "[100, 200]", "--command", "python -c pass"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: case["n"] != 0 for name, case in cases.items()} == {
        "src/pkg/__init__.py:work": True,
        "python -c pass": True,
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nothing_like_it",), "no benchmark matches 'nothing_like_it'"),
        (("-k", "and"), "-k 'and' is no expression"),
        (("--command", "'"), "--command"),
        (("--items", "[1]", "test_work"), "--items goes with a function"),
        (
            (
                "--threshold",
                "nope=5%",
            ),
            "--threshold nope=",
        ),
    ],
)
def test_a_mistake_is_one_line(suite: Path, arguments: tuple[str, ...], line: str) -> None:
    done, cases = checked(suite, "--max-time", "5", *arguments)
    assert (done.returncode, cases) == (2, {})
    assert line in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_project_without_benchmarks_hears_where_they_were_looked_for(project: Path) -> None:
    done, _ = checked(project)
    assert done.returncode == 2
    (last,) = done.stderr.splitlines()[-1:]
    assert "no benchmarks found. Looked for asv: time_*" in last and "pytest: tests with the fixture" in last
