"""The gil probe: the search in a scripted memory, what it refuses to guess, and one real calibration."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from gilbench.advice.questions import call_items
from gilbench.cases.case import Case
from gilbench.measure import prober
from gilbench.probes import Found, Question, Unavailable, gil_probe
from gilbench.probes.gil_probe import LOCKED, SWITCHES, Held, address, estimate
from gilbench.process.talk import Broken

linux = pytest.mark.skipif(sys.platform != "linux", reason="the GIL can be read on Linux only")


def held(fraction: float) -> Held:
    return Held(fraction, fraction, fraction, 10.0, 1000)


# --- Where the GIL is


def found_at(monkeypatch: pytest.MonkeyPatch, *images: set[int]) -> None:
    """Let the memory behind the runtime show these places, one set for each switch interval that is tried."""
    script = iter(images)
    monkeypatch.setattr(gil_probe, "_slots", lambda start, wanted: next(script))
    monkeypatch.setattr(gil_probe.sys, "platform", "linux")


def runtime() -> int:
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))


def test_the_one_place_that_follows_every_interval_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.getswitchinterval()
    found_at(monkeypatch, {8, 64, 800}, {64, 800}, {16, 64})
    assert address() == runtime() + 64
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize(
    ("images", "count"), [(({8}, {16}, {8}), 0), ((set(), set(), set()), 0), (({8, 16}, {8, 16, 24}, {8, 16}), 2)]
)
def test_no_place_or_two_is_no_guess(images: tuple[set[int], ...], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.getswitchinterval()
    found_at(monkeypatch, *images)
    with pytest.raises(
        Unavailable, match=f"^{count} places in memory look like the GIL: this interpreter is not known$"
    ):
        address()
    assert sys.getswitchinterval() == before


def test_a_memory_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(start: int, wanted: int) -> set[int]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(gil_probe, "_slots", refuse)
    monkeypatch.setattr(gil_probe.sys, "platform", "linux")
    with pytest.raises(Unavailable, match=r"^/proc/self/mem cannot be read: Permission denied$"):
        address()


def test_without_a_gil_there_is_none_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gil_probe.sys, "platform", "linux")
    monkeypatch.setattr(gil_probe.sys, "_is_gil_enabled", lambda: False, raising=False)
    with pytest.raises(Unavailable, match=r"^this free-threaded interpreter runs without a GIL$"):
        address()


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gil_probe.sys, "platform", "darwin")
    with pytest.raises(Unavailable, match="on Linux only, and this is darwin"):
        address()


@linux
def test_the_search_sees_aligned_numbers_behind_its_start() -> None:
    wanted = 0x6A09E667F3BCC908
    memory = (ctypes.c_uint64 * 4)(1, wanted, 2, wanted + 1)
    found = gil_probe._slots(ctypes.addressof(memory), wanted)
    assert 8 in found and 0 not in found and 24 not in found


@linux
def test_a_search_that_meets_a_hole_at_once_raises() -> None:
    with pytest.raises(OSError, match="Input/output error"):
        gil_probe._slots(4096, 1)


# --- Sampling


class Memory:
    """A process's memory: the GIL is held in three of four samples, and changes hands in each."""

    def __init__(self, place: int) -> None:
        self.place, self.at, self.reads, self.switches = place, 0, 0, 100

    def seek(self, at: int) -> None:
        self.at = at

    def read(self, size: int) -> bytes:
        if self.at == self.place + SWITCHES:
            self.switches += 5
            return struct.pack("Q", self.switches)
        assert (self.at, size) == (self.place + LOCKED, 4)
        self.reads += 1
        return struct.pack("i", self.reads % 4 != 0)


def test_sampling_counts_what_it_sees() -> None:
    memory = Memory(4096)
    found = gil_probe._sample(memory, 4096, 0.02)
    assert found.samples == memory.reads >= 1
    assert found.held == (memory.reads - memory.reads // 4) / memory.reads
    assert 0 < found.switches < 5 / 0.02 + 1


@linux
def test_a_process_that_is_gone_cannot_be_read() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(Unavailable, match=r"^the memory of the probed process cannot be read: "):
        gil_probe.sample(gone.pid, 4096, 0.01)


def test_the_interval_is_wilsons_where_samples_agree() -> None:
    found = estimate([(25, 100)] * 20, 7.0)
    assert (found.held, found.samples, found.switches) == (0.25, 2000, 7.0)
    assert (found.low, found.high) == (pytest.approx(0.2315, abs=5e-4), pytest.approx(0.2694, abs=5e-4))


def test_the_interval_is_wider_where_stretches_differ() -> None:
    found = estimate([(0, 100), (50, 100)] * 10, 0.0)
    assert found.held == 0.25
    # Student's t with 19 degrees of freedom, 2.093, times 0.2565 / sqrt(20)
    assert found.high - found.held == pytest.approx(0.1200, abs=5e-4) == found.held - found.low


def test_the_interval_stays_within_0_and_1() -> None:
    assert estimate([(0, 50)] * 4, 0.0).low == 0
    assert estimate([(50, 50)] * 4, 0.0).high == 1
    assert 0 < estimate([(1, 2)], 0.0).low < estimate([(1, 2)], 0.0).high < 1


# --- What is asked


class Scripted:
    """A probed process that answers, and fails where the script says so."""

    pid = 1
    case = Case("sleep", "tiny", "sync")

    def __init__(self, broken: Question | None = None) -> None:
        self.broken, self.asked, self.answered = broken, list[Question](), list[Question]()

    def pose(self, question: Question, **what: Any) -> None:
        self.asked.append(question)

    def answer(self) -> Found:
        self.answered.append(self.asked[-1])
        if self.asked[-1] is self.broken:
            raise Broken("killed", "exit code 3: boo")
        done = {"computes": 9, "seconds": 0.4}
        return {gil_probe.find_gil: {"address": 4096}, gil_probe.compute_for: done, call_items: done}.get(
            self.asked[-1], {}
        )

    def ask(self, question: Question, **what: Any) -> Found:
        self.pose(question)
        return self.answer()


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Held | Unavailable]]:
    """What the sampling reads, one after the other."""
    script: list[Held | Unavailable] = []

    def sample(pid: int, place: int, seconds: float) -> Held:
        assert (pid, place) == (1, 4096)
        reading = script.pop(0)
        if isinstance(reading, Unavailable):
            raise reading
        return reading

    monkeypatch.setattr(gil_probe, "sample", sample)
    monkeypatch.setattr(gil_probe, "EARLY", 0.0)
    yield script
    assert not script, "all was read"


def test_it_is_calibrated_and_then_read(readings: list[Held | Unavailable]) -> None:
    readings += [held(0.99), held(0.01), Held(0.42, 0.4, 0.44, 300.0, 5000)]
    probed = Scripted()
    assert gil_probe.examine(probed) == {
        "held": 0.42, "low": 0.4, "high": 0.44, "switches_per_second": 300.0, "samples": 5000, "computes": 9,
    }  # fmt: skip
    assert (
        probed.asked
        == [gil_probe.find_gil, gil_probe.stay_busy, gil_probe.stay_idle, gil_probe.compute_for]
        == probed.answered
    )


def test_it_can_be_read_during_another_question(readings: list[Held | Unavailable]) -> None:
    readings += [held(0.99), held(0.01), Held(0.42, 0.4, 0.44, 300.0, 5000)]
    probed = Scripted()
    assert gil_probe.examine(probed, call_items)["held"] == 0.42
    assert probed.asked[-1] is call_items


def test_a_calibration_that_fails_is_no_figure(readings: list[Held | Unavailable]) -> None:
    readings += [held(0.96)]
    with pytest.raises(Unavailable, match=r"^calibration failed: busy reads 0\.96, not 0\.97 to 1\.0$"):
        gil_probe.examine(Scripted())
    readings += [held(0.98), held(0.04)]
    with pytest.raises(Unavailable, match=r"^calibration failed: idle reads 0\.04, not 0\.0 to 0\.03$"):
        gil_probe.examine(Scripted())


def test_no_answer_is_left_for_the_next_probe_to_hear(readings: list[Held | Unavailable]) -> None:
    readings += [held(0.99), held(0.01), Unavailable("it cannot be read")]
    probed = Scripted()
    with pytest.raises(Unavailable, match="it cannot be read"):
        gil_probe.examine(probed)
    assert probed.answered == probed.asked


def test_that_a_process_died_says_more_than_that_it_cannot_be_read(readings: list[Held | Unavailable]) -> None:
    readings += [held(0.99), held(0.01), Unavailable("it cannot be read")]
    with pytest.raises(Broken, match="exit code 3"):
        gil_probe.examine(Scripted(broken=gil_probe.compute_for))


# --- What a person reads


def test_sentences() -> None:
    sync = {"held": 0.24, "low": 0.17, "high": 0.31, "switches_per_second": 0.0}
    threads = {"held": 0.5, "low": 0.4, "high": 0.6, "switches_per_second": 348.2}
    assert list(gil_probe.format({"sync": sync, "threads": threads})) == [
        "held 24 % of the time (17 % to 31 %) while one task after the other runs: "
        "threads are at most 4.2x as fast as sync, however many",
        "changes hands 348 times a second on threads, few; held 50 % there",
    ]
    (many,) = gil_probe.format({"threads": {**threads, "switches_per_second": 23456.0}})
    assert "23,456 times a second on threads, so many that" in many and "use processes" in many
    assert list(gil_probe.format({})) == []


def test_what_a_fraction_means() -> None:
    assert gil_probe.meaning(0.0) == gil_probe.meaning(0.04) == "it does not limit threads"
    assert "at most 2.0x" in gil_probe.meaning(0.5)
    assert gil_probe.meaning(1.0).startswith("threads gain next to nothing (at most 1.0x): use processes")


# --- For real


@linux
@pytest.mark.serial
def test_a_python_loop_holds_it_and_sleep_does_not() -> None:
    read = {}
    for workload in ("sum_of_squares", "sleep"):
        done = prober.probe(workload, "small", ("sync",), ("gil",), lambda case: prober.LiveProbed(case, 60.0), cpus=1)
        if reasons := done.reasons["gil"]:
            assert "calibration failed" in reasons["sync"] or "without a GIL" in reasons["sync"], reasons
            pytest.skip(reasons["sync"])
        read[workload] = done.found["gil"]["sync"]
    assert read["sum_of_squares"]["held"] > 0.9
    assert read["sleep"]["held"] < 0.5
    for reading in read.values():
        assert 0 <= reading["low"] <= reading["held"] <= reading["high"] <= 1
        assert reading["samples"] > 0 < reading["computes"]
