"""pyperf's hook `gil`: what it writes where it works, and a plain reason where it does not."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyperf
import pytest

from gilbench.probes import Unavailable, pyperf_hook


class Sampler:
    """A fake of the child that reads the memory: it answers each line with the next of its own."""

    def __init__(self, *answers: str) -> None:
        self.stdin, self.stdout = io.StringIO(), io.StringIO("".join(f"{answer}\n" for answer in answers))
        self.ended = False

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.ended = True
        return "", ""


READY, BUSY, IDLE = (
    '{"blocks": [], "switches": 0}',
    '{"blocks": [[99, 100]], "switches": 1}',
    '{"blocks": [[1, 100]], "switches": 1}',
)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that creates a hook whose sampler gives these answers."""
    monkeypatch.setattr(pyperf_hook, "address", lambda: 4096)
    monkeypatch.setattr(pyperf_hook, "CALIBRATION", 0.0)

    def make(*answers: str) -> tuple[pyperf_hook.Gil, Sampler]:
        sampler = Sampler(*answers)
        monkeypatch.setattr(pyperf_hook.subprocess, "Popen", lambda *args, **more: sampler)
        sampler.pid = 1  # type: ignore[attr-defined]
        return pyperf_hook.Gil(), sampler

    return make


def test_the_fraction_of_all_values_goes_into_the_metadata(scripted: Any) -> None:
    gil, sampler = scripted(READY, BUSY, IDLE, '{"blocks": [[30, 100], [10, 100]], "switches": 12.5}')
    assert gil.reason == ""
    metadata: dict[str, Any] = {"name": "x"}
    gil.teardown(metadata)
    assert metadata["gil_held"] == pytest.approx(0.2)
    assert 0 <= metadata["gil_held_low"] < 0.2 < metadata["gil_held_high"] <= 1
    assert metadata["gil_switches"] == 12.5
    assert sampler.ended


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((READY, IDLE, IDLE), "calibration failed: busy reads 0.01, not 0.97 to 1.0"),
        ((READY, BUSY, BUSY), "calibration failed: idle reads 0.99, not 0.0 to 0.03"),
        ((READY, READY), "calibration failed: busy reads -1.00, not 0.97 to 1.0"),
        ((), "the sampler died"),
        (('{"unavailable": "the memory cannot be read"}',), "the memory cannot be read"),
        ((READY, BUSY, IDLE, READY), "no value lasted long enough to be sampled"),
        ((READY, BUSY, IDLE, "nonsense"), "the sampler died: "),
    ],
)
def test_without_a_figure_to_trust_there_is_a_reason(answers: tuple[str, ...], reason: str, scripted: Any) -> None:
    gil, sampler = scripted(*answers)
    metadata: dict[str, Any] = {}
    gil.teardown(metadata)
    assert list(metadata) == ["gil_held"]
    assert metadata["gil_held"].startswith(f"unavailable: {reason}")
    assert sampler.ended


def test_where_there_is_no_gil_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def address() -> int:
        raise Unavailable("this free-threaded interpreter runs without a GIL")

    monkeypatch.setattr(pyperf_hook, "address", address)
    monkeypatch.setattr(pyperf_hook.subprocess, "Popen", lambda *args, **more: pytest.fail("a sampler was started"))
    gil, metadata = pyperf_hook.Gil(), dict[str, Any]()
    with gil:
        pass
    gil.teardown(metadata)
    assert metadata == {"gil_held": "unavailable: this free-threaded interpreter runs without a GIL"}


def test_values_are_numbered_and_the_time_between_them_is_0(scripted: Any) -> None:
    gil, _ = scripted(READY, BUSY, IDLE)
    flags = []
    for _ in range(2):
        flags.append(gil._value.value)
        with gil:
            flags.append(gil._value.value)
    first = flags[1]
    assert flags == [0, first, 0, first + 1]


def test_switches_are_counted_inside_values_only() -> None:
    # held, samples, first and last time, first and last switch number: 10 switches in 0.5 s, then 20 in 1 s.
    blocks = {1: [3, 10, 1.0, 1.5, 100, 110], 2: [0, 5, 9.0, 10.0, 900, 920]}
    assert pyperf_hook._summed(blocks) == {"blocks": [[3, 10], [0, 5]], "switches": pytest.approx(20.0)}
    assert pyperf_hook._summed({}) == {"blocks": [], "switches": 0.0}


@pytest.mark.serial
def test_a_sampler_that_may_not_read_says_so() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    said = subprocess.run(
        [sys.executable, "-P", "-m", "gilbench.probes.pyperf_hook", str(gone.pid), "4096", "4096"],
        input="\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert '{"unavailable": "the memory of the measured process cannot be read: ' in said.stdout
    assert said.stderr == ""


@pytest.mark.serial
def test_a_real_pyperf(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    command = [
        sys.executable,
        "-m",
        "pyperf",
        "timeit",
        "--hook",
        "gil",
        "-p1",
        "-n2",
        "-w1",
        "--loops",
        "2000",
        "--quiet",
    ]
    subprocess.run([*command, "-o", str(output), "sum(range(1000))"], check=True, capture_output=True, timeout=120)
    (run,) = pyperf.BenchmarkSuite.load(str(output)).get_benchmarks()[0].get_runs()
    metadata = run.get_metadata()
    assert "gil" in metadata["hooks"]
    if isinstance(metadata["gil_held"], str):
        assert metadata["gil_held"].startswith("unavailable: ")
        pytest.skip(metadata["gil_held"])
    assert 0.9 < metadata["gil_held_low"] <= metadata["gil_held"] <= metadata["gil_held_high"] <= 1
    assert metadata["gil_switches"] >= 0
