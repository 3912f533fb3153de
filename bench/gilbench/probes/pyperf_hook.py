"""pyperf's hook `gil`: python -m pyperf timeit --hook gil ... adds the fraction of time that the GIL was held.

A child process samples the memory of its parent, the worker that pyperf measures. A number in that memory says whether a
value is being measured, so entering and leaving a value costs one assignment each. The figures go into the run's
metadata: gil_held, gil_held_low, gil_held_high (fractions of the values' time, with a 95% interval) and gil_switches
(per second). Where there are none, gil_held is "unavailable: " and the reason.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from gilbench.probes import Unavailable
from gilbench.probes.gil_probe import (
    BUSY,
    CALIBRATION,
    GAP,
    IDLE,
    LOCKED,
    SWITCHES,
    address,
    check_reading,
    estimate,
    wake_up_sharply,
)

PR_SET_PTRACER = 0x59616D61  # prctl(2): which process may read our memory under Yama
CLOSED = 2.0  # seconds that the sampler has to end once its standard input is closed


class Gil:
    """The hook. pyperf creates one in each worker, enters it around each value, and calls `teardown` at the end."""

    def __init__(self) -> None:
        self.reason = ""
        self._value = ctypes.c_int64(0)  # number of the value being measured; 0 between values
        self._values = 0
        self._sampler: subprocess.Popen[str] | None = None
        try:
            self._start(address())
            self._calibrate()
        except Unavailable as reason:
            self.reason = str(reason)
            self._stop()

    def __enter__(self) -> Gil:
        self._values += 1
        self._value.value = self._values
        return self

    def __exit__(self, *error: object) -> None:
        self._value.value = 0

    def teardown(self, metadata: MutableMapping[str, Any]) -> None:
        """Add the figures to the run's metadata, or why there are none."""
        try:
            if self._sampler is None:
                raise Unavailable(self.reason)
            blocks, switches = self._read()
            if not blocks:
                raise Unavailable("no value lasted long enough to be sampled")
            found = estimate(blocks, switches)
            metadata["gil_held"] = found.held
            metadata["gil_held_low"], metadata["gil_held_high"] = found.low, found.high
            metadata["gil_switches"] = found.switches
        except Unavailable as reason:
            metadata["gil_held"] = f"unavailable: {reason}"
        finally:
            self._stop()

    def _start(self, place: int) -> None:
        command = [sys.executable, "-P", "-m", "gilbench.probes.pyperf_hook", str(os.getpid()), str(place)]
        self._sampler = subprocess.Popen(
            [*command, str(ctypes.addressof(self._value))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # pyperf drops most of the environment, so the sampler gets the path on which this package was found.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(self._sampler.pid), 0, 0, 0)
        self._read()

    def _calibrate(self) -> None:
        """Raise Unavailable unless the GIL reads as held during a busy loop, and as released during a sleep."""
        for name, low, high in (("busy", BUSY, 1.0), ("idle", 0.0, IDLE)):
            with self:
                end = time.perf_counter() + CALIBRATION
                if name == "idle":
                    time.sleep(CALIBRATION)
                while time.perf_counter() < end:
                    pass
            blocks, _ = self._read()
            # Without an interval, so that scipy is not imported into the process that is measured.
            read = sum(held for held, _ in blocks) / sum(samples for _, samples in blocks) if blocks else -1.0
            check_reading(name, read, low, high)

    def _read(self) -> tuple[list[tuple[int, int]], float]:
        """Return (held, samples) of each value since the last call, and switches per second. Raises Unavailable."""
        assert self._sampler is not None and self._sampler.stdin is not None and self._sampler.stdout is not None
        try:
            self._sampler.stdin.write("\n")
            self._sampler.stdin.flush()
            answer = json.loads(self._sampler.stdout.readline() or '{"unavailable": "the sampler died"}')
        except (OSError, ValueError) as error:
            raise Unavailable(f"the sampler died: {error}") from error
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return [(held, samples) for held, samples in answer["blocks"]], float(answer["switches"])

    def _stop(self) -> None:
        if self._sampler is None:
            return
        sampler, self._sampler = self._sampler, None
        try:
            sampler.communicate(timeout=CLOSED)  # closes its standard input, which tells it to end
        except (subprocess.TimeoutExpired, BrokenPipeError):
            sampler.kill()
            sampler.communicate()


def sampler(pid: int, place: int, flag: int) -> None:
    """Be the sampler: count while the flag is not 0, answer each line of standard input, and end when it closes.

    pid: the process that is measured. place, flag: addresses in its memory, of the GIL and of the value's number.
    """
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            _sample(memory, place, flag)
    except (OSError, struct.error) as error:
        if sys.stdin.readline():  # otherwise the measured process is gone, and nobody reads the answer
            print(
                json.dumps({"unavailable": f"the memory of the measured process cannot be read: {error}"}), flush=True
            )


def _sample(memory: Any, place: int, flag: int) -> None:
    def peek(where: int, form: str, size: int) -> int:
        memory.seek(where)
        return int(struct.unpack(form, memory.read(size))[0])

    wake_up_sharply()
    draw = random.Random()
    blocks: dict[int, list[float]] = {}  # value -> held, samples, first and last time, first and last switch number
    while True:
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps(_summed(blocks)), flush=True)
            blocks.clear()
        value = peek(flag, "q", 8)
        if value:
            now, switches = time.perf_counter(), peek(place + SWITCHES, "Q", 8)
            block = blocks.setdefault(value, [0, 0, now, now, switches, switches])
            block[0] += peek(place + LOCKED, "i", 4) != 0
            block[1] += 1
            block[3], block[5] = now, switches
        time.sleep(draw.expovariate(1 / GAP))


def _summed(blocks: dict[int, list[float]]) -> dict[str, Any]:
    seconds = sum(block[3] - block[2] for block in blocks.values())
    switches = sum(block[5] - block[4] for block in blocks.values())
    return {
        "blocks": [[int(block[0]), int(block[1])] for block in blocks.values()],
        "switches": switches / seconds if seconds else 0.0,
    }


if __name__ == "__main__":
    sampler(*map(int, sys.argv[1:]))
