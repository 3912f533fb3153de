"""The memory probe: trees of processes that are made up, and a known peak for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from gilbench.cases.case import Case
from gilbench.probes import Scene, Unavailable, memory_probe
from gilbench.process.peak_memory import Peak, peak_memory, tree_bytes
from gilbench.schedulers import Opened, Setup

MIB = 1 << 20


class Process:
    """One process of a made-up tree."""

    def __init__(self, pid: int, children: tuple[Process, ...] = (), **sizes: int) -> None:
        self.pid, self._children, self._sizes = pid, children, sizes

    def children(self, recursive: bool) -> list[Process]:
        assert recursive
        return list(self._children)

    def memory_full_info(self) -> SimpleNamespace:
        if not self._sizes:
            raise psutil.NoSuchProcess(self.pid)
        return SimpleNamespace(**self._sizes)


def test_a_tree_is_summed_without_the_sampler_and_those_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Process(1, (Process(2, uss=20, pss=25), Process(3), Process(4, uss=1000, pss=1000)), uss=10, pss=12)
    monkeypatch.setattr(psutil, "Process", lambda pid: tree)
    assert tree_bytes(1, without=4) == (37, 7, "pss")


def test_where_shares_are_not_known_private_pages_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "Process", lambda pid: Process(1, (Process(2, uss=20),), uss=10))
    assert tree_bytes(1, without=9) == (30, 0, "uss")


def test_less_than_before_is_nothing_beyond() -> None:
    assert Peak(before=10, peak=25).beyond == 15
    assert Peak(before=10, peak=5).beyond == 0


def test_sentences() -> None:
    found = {"before": 64 * MIB, "peak": 80 * MIB, "shared": 5 * MIB, "kind": "pss"}
    start = "one compute takes 16.0 MiB beyond the 64.0 MiB that it holds idle"
    assert list(memory_probe.format({"threads": found, "loky": {**found, "shared": 0, "kind": "uss"}})) == [
        f"threads: {start}, 5.00 MiB of the peak is shared",
        f"loky: {start}",
    ]


@pytest.mark.serial
def test_a_known_peak_is_found_in_this_process_and_in_a_child() -> None:
    hold = f"import sys; data = bytearray({64 * MIB}); print(flush=True); sys.stdin.read()"
    with peak_memory(os.getpid()) as found:
        data = bytearray(64 * MIB)
        child = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.3)
    child.communicate()
    assert found.beyond > 0.95 * (len(data) + 64 * MIB)
    assert found.beyond < 3 * 64 * MIB
    assert found.kind == ("pss" if sys.platform == "linux" else "uss")
    assert 0 <= found.shared < found.peak


@pytest.mark.skipif(shutil.which("false") is None, reason="needs a program that fails")
def test_a_sampler_that_dies_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(Unavailable, match=r"^the process that samples memory died$"), peak_memory(os.getpid()):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_sampler_says_nothing_when_the_measured_process_is_killed() -> None:
    killed = (
        "import os, signal; from gilbench.probes.memory_probe import peak_memory; "
        "sampled = peak_memory(os.getpid()); sampled.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    # Waits until the sampler is gone too: it would hold the same standard error.
    ended = subprocess.run([sys.executable, "-c", killed], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, "")


@pytest.mark.serial
def test_the_question_is_answered_with_one_compute() -> None:
    kept: list[bytearray] = []
    settled: list[int] = []

    def compute() -> list[bytearray]:
        kept.append(bytearray(32 * MIB))
        time.sleep(0.2)
        return kept

    opened = Opened({}, lambda: settled.append(len(kept)))
    scene = Scene(Case("sleep", "tiny", "sync"), None, None, Setup(), opened, compute, 0.0)  # type: ignore[arg-type]
    found = memory_probe.peak_of_compute(scene)
    assert set(found) == {"before", "peak", "shared", "kind"}
    assert settled == [1]
    assert found["peak"] - found["before"] > 0.95 * 32 * MIB
