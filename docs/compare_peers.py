"""Compare the check with pyperf, pytest-benchmark and asv, on the same cases in one run:

    pip install pytest-benchmark asv virtualenv
    python docs/compare_peers.py --rounds 2 --by 0.06      # head slower in every second round
    python docs/compare_peers.py table                     # all rounds so far, as a table

Each tool is used as its manual says: pyperf with two runs and compare_to, pytest-benchmark with a saved run and
--benchmark-compare-fail=median:5%, asv with `asv continuous --factor 1.05`. What each tool says of each case, and how long
it took, is appended to results/reference/check-peers.jsonl. Do nothing else on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gilbench.files import cache_environment

SOURCES = Path.cwd() / "bench"  # where the package gilbench is
PEERS = Path("results/reference/check-peers.jsonl")
WORKLOADS = ("sum_of_squares", "sqrt_sum")
SCHEDULERS = {"sync": (1, 1), "threads": (1, 2), "processes": (2, 1)}
CASES = {
    f"{workload}:tiny:{scheduler}:{workers}x{threads}": (workload, scheduler, workers, threads)
    for workload in WORKLOADS
    for scheduler, (workers, threads) in SCHEDULERS.items()
}
Said = Mapping[str, str]  # case -> "slower", "faster" or ""; each tool returns it with the moment it began to measure

WORK = '''
from contextlib import contextmanager
CASES = {cases!r}
SLOWDOWN = {slowdown}

@contextmanager
def opened(name):
    """Yield a function that computes the case, as gilbench's own worker does."""
    from gilbench.process import pins
    from gilbench.targets.builtin import all_workloads
    from gilbench.schedulers import Setup, Shape, all_schedulers
    from gilbench.checks.turns import slowed
    from gilbench.cases.checking import compute_of
    workload, scheduler, workers, threads = CASES[name]
    workload = all_workloads()[workload]
    setup = Setup(workload.modules, True)
    pins.prepare(setup.modules, True)
    job = workload.build(**workload.sizes["tiny"])
    with all_schedulers()[scheduler].open(Shape(workers, threads), setup) as how:
        yield slowed(compute_of(job, how.keywords, "function"), SLOWDOWN)
'''
PYPERF = """
import pyperf
from work import opened
if __name__ == "__main__":
    runner = pyperf.Runner(add_cmdline_args=lambda command, options: command.append(options.case))
    runner.argparser.add_argument("case")
    case = runner.parse_args().case
    if runner.args.worker:
        with opened(case) as compute:
            compute()
            runner.bench_func(case, compute)
    else:
        runner.bench_func(case, lambda: None)
"""
PYTEST = """
import pytest
from work import CASES, opened

@pytest.mark.parametrize("case", CASES)
def test_case(case, benchmark):
    with opened(case) as compute:
        compute()
        benchmark(compute)
"""
ASV = """
from work import CASES, opened

class Cases:
    params = list(CASES)

    def setup(self, case):
        self.context = opened(case)
        self.compute = self.context.__enter__()
        self.compute()

    def teardown(self, case):
        self.context.__exit__(None, None, None)

    def time_case(self, case):
        self.compute()
"""
# The same packages as everywhere else, without building anything; only work.py belongs to the commit.
INSTALL = """
import pathlib, shutil, sys, sysconfig
site = pathlib.Path(sysconfig.get_paths()["purelib"])
shutil.copy(pathlib.Path(sys.argv[1]) / "work.py", site)
(site / "packages.pth").write_text("\\n".join(sys.argv[2:]))
"""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["measure", "table"], default="measure")
    parser.add_argument("--rounds", type=int, default=2, help="of all tools, in random order")
    parser.add_argument("--by", type=float, default=0.06, help="fraction that head is slower by in every second round")
    options = parser.parse_args()
    if options.what == "table":
        print(table([json.loads(line) for line in PEERS.read_text().splitlines()]))
        return
    tools: dict[str, Callable[[Path, Path, float], tuple[Said, float]]] = {
        "gilbench": gilbench, "pyperf": pyperf, "pytest-benchmark": pytest_benchmark, "asv": asv
    }  # fmt: skip
    for round_ in range(options.rounds):
        by = options.by if round_ % 2 else 0.0
        for tool in random.sample(sorted(tools), len(tools)):
            with tempfile.TemporaryDirectory(prefix="gilbench-peers-") as scratch:
                arms = Path(scratch) / "base", Path(scratch) / "head"
                for arm, slowdown in zip(arms, (0.0, by), strict=True):
                    write_arm(arm, slowdown)
                said, began = tools[tool](*arms, by)
                line = {"tool": tool, "by": by, "seconds": round(time.monotonic() - began, 1), "said": said}
            with PEERS.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), file=sys.stderr)


def write_arm(folder: Path, slowdown: float) -> None:
    """Write the files that the tools measure."""
    folder.mkdir()
    (folder / "work.py").write_text(WORK.format(cases=CASES, slowdown=slowdown))
    (folder / "with_pyperf.py").write_text(PYPERF)
    (folder / "test_with_pytest.py").write_text(PYTEST)


def gilbench(base: Path, head: Path, by: float) -> tuple[Said, float]:
    """Run `gilbench check`."""
    began = time.monotonic()
    found = base.parent / "verdicts.json"
    command = [sys.executable, "-m", "gilbench", "check", *WORKLOADS, "--aa", f"--inject={by}", "--json", found]
    run([*command, "-o", base.parent / "results"], Path.cwd(), codes=(0, 1))
    words = {"regression": "slower", "improvement": "faster"}
    return {line["case"]: words.get(line["kind"], "") for line in json.loads(found.read_text())["cases"]}, began


def pyperf(base: Path, head: Path, by: float) -> tuple[Said, float]:
    """Run pyperf twice, then its compare_to."""
    began = time.monotonic()
    for folder in (base, head):
        for case in CASES:
            command = [sys.executable, "with_pyperf.py", case, "--inherit-environ=PYTHONPATH,GILBENCH_CACHE"]
            run([*command, "--append", folder / "result.json", "--quiet"], folder)
    said = run([sys.executable, "-m", "pyperf", "compare_to", base / "result.json", head / "result.json"], base)
    return {case: (re.findall(rf"^{case}: .* (slower|faster)$", said, re.M) or [""])[0] for case in CASES}, began


def pytest_benchmark(base: Path, head: Path, by: float) -> tuple[Said, float]:
    """Run pytest-benchmark, save that, and compare a second run with it. It looks for slower cases only."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--benchmark-storage={base}/saved"]
    run([*command, "--benchmark-save=base"], base)
    said = run([*command, "--benchmark-compare", "--benchmark-compare-fail=median:5%"], head, codes=(0, 1))
    regressed = set(re.findall(r"test_case\[(\S+?)\].*has failed", said))
    return {case: "slower" if case in regressed else "" for case in CASES}, began


def asv(base: Path, head: Path, by: float) -> tuple[Said, float]:
    """Run `asv continuous` on two commits."""
    folder = base.parent / "repository"
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks" / "__init__.py").touch()
    (folder / "benchmarks" / "cases.py").write_text(ASV)
    (folder / "install.py").write_text(INSTALL)
    import dask

    packages = [str(SOURCES), str(Path(dask.__file__).parents[1])]
    settings = {
        "version": 1, "project": "cases", "repo": ".", "branches": ["main"], "environment_type": "virtualenv",
        "pythons": [f"{sys.version_info.major}.{sys.version_info.minor}"], "build_command": [],
        "install_command": [f"python {folder}/install.py {{build_dir}} {' '.join(packages)}"],
        "uninstall_command": [],
    }  # fmt: skip
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    git = ["git", "-c", "user.name=peer", "-c", "user.email=peer@example.invalid"]
    run([*git, "init", "-q", "-b", "main"], folder)
    for arm in (base, head):
        shutil.copy(arm / "work.py", folder)
        (folder / "which.txt").write_text(arm.name)
        run([*git, "add", "work.py", "which.txt"], folder)
        run([*git, "commit", "-q", "-m", arm.name], folder)
    run([sys.executable, "-m", "asv", "machine", "--yes"], folder)
    run([sys.executable, "-m", "asv", "setup"], folder, codes=(0, 1))  # asv 0.6 exits with 1 although nothing is wrong
    began = time.monotonic()  # the environment is made once: that does not count
    said = run([sys.executable, "-m", "asv", "continuous", "--factor", "1.05", "HEAD~1", "HEAD"], folder, codes=(0, 1))
    marks = {case: mark for mark, case in re.findall(r"^\|?\s*([+-])\s.*time_case\('(\S+?)'\)", said, re.M)}
    return {case: {"+": "slower", "-": "faster"}.get(marks.get(case, ""), "") for case in CASES}, began


def run(command: Sequence[object], folder: Path, codes: tuple[int, ...] = (0,)) -> str:
    """Return what a command prints. Raises RuntimeError, with that, where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "ASV_CONF_DIR": str(folder)}
    environment |= cache_environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in codes:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return, for each tool: false alarms, misses, and seconds for one round of all cases."""
    rows = [
        "| tool | equal cases called slower | called faster | slower cases missed | a round |",
        "|---|---|---|---|---|",
    ]
    for tool in dict.fromkeys(line["tool"] for line in lines):
        equal = [kind for line in lines if line["tool"] == tool and not line["by"] for kind in line["said"].values()]
        slower = [kind for line in lines if line["tool"] == tool and line["by"] for kind in line["said"].values()]
        seconds = [line["seconds"] for line in lines if line["tool"] == tool]
        missed = sum(kind != "slower" for kind in slower)
        rows.append(
            f"| {tool} | {equal.count('slower')} of {len(equal)} | {equal.count('faster')} of {len(equal)} "
            f"| {missed} of {len(slower)} | {min(seconds):.0f} to {max(seconds):.0f} s |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
