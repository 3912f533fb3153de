"""The probe that counts what is pickled: its parts with fakes, and known numbers of bytes for real."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Executor, Future
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.measure import prober
from gilbench.probes import Scene, Unavailable, traffic_probe
from gilbench.probes.traffic_probe import Counting, Report, Tally, Tap, advice, fill, is_small_talk, pack, unpack
from gilbench.schedulers import Opened, Setup, all_schedulers
from gilbench.targets.naming import workload_of

MAIN, ONE, TWO = "tcp://127.0.0.1:1", "tcp://127.0.0.1:2", "tcp://127.0.0.1:3"
FOUND = {
    "tasks": 8,
    "to_tasks_bytes": 2150,
    "from_tasks_bytes": 31 << 20,
    "between_workers_bytes": 0,
    "messages": 16,
    "seconds": 0.012,
    "compute_seconds": 0.5,
}


class Inline(Executor):
    """Runs what is submitted at once, here: what a process pool does, without the processes."""

    _max_workers = 3

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except ValueError as error:
            future.set_exception(error)
        return future


class Comm:
    """One end of a connection of a cluster: what it reads is given, and what it writes has a fixed size."""

    local_address, peer_address = ONE, MAIN

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)

    async def read(self) -> Any:
        return self.messages.pop(0)

    async def write(self, msg: Any) -> int:
        return 100


def fail() -> None:
    raise ValueError("no")


def scene_of(keywords: dict[str, Any]) -> Scene:
    workload = workload_of("return_bytes")
    job = workload.build(**workload.sizes["tiny"])
    return Scene(Case("return_bytes", "tiny", "sync"), workload, job, Setup(), Opened(keywords), list, 0.1)


# --- Pickles


def test_the_process_that_computes_counts_payload_and_a_child_sends_its_seconds_along() -> None:
    data, seconds = pack(b"x" * 1000)
    assert len(data) > 1000 and seconds >= 0  # no tally here: this is what a child does
    tally = Tally()
    with traffic_probe._kept(tally):
        assert unpack((data, 5.0)) == b"x" * 1000
        assert tally.from_tasks == len(data)
        assert 5.0 < tally.seconds < 6.0
        sent, extra = pack(b"y" * 500)
    assert (tally.to_tasks, extra) == (len(sent), 0.0)


def test_a_child_that_was_forked_does_not_count() -> None:
    tally = Tally(pid=os.getpid() + 1)
    with traffic_probe._kept(tally):
        assert unpack(pack(1)) == 1
    assert (tally.to_tasks, tally.from_tasks) == (0, 0)


def test_what_unpickling_took_in_a_child_is_sent_once() -> None:
    unpack(pack(1))
    traffic_probe._unpacked.seconds = 7.0
    assert pack(1)[1] >= 7.0
    assert pack(1)[1] < 7.0


def test_the_counting_executor_hands_on_results_and_errors() -> None:
    tally = Tally()
    pool = Counting(Inline(), tally)
    assert pool._max_workers == 3
    assert pool.submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ValueError, match="no"):
        pool.submit(fail).result()
    assert tally.messages == 4


def test_a_result_that_cannot_be_read_is_an_error_and_no_endless_wait() -> None:
    inner: Future[Any] = Future()
    inner.set_result((b"no pickle", 0.0))
    outer: Future[Any] = Future()
    traffic_probe._pass_on(outer, inner)
    assert outer.exception() is not None


def test_where_nothing_crosses_there_is_no_traffic() -> None:
    from dask.local import get_sync

    with (
        pytest.raises(Unavailable, match="under sync nothing crosses"),
        traffic_probe._counted(scene_of({"scheduler": get_sync})),
    ):
        pass


# --- A cluster


def test_small_talk() -> None:
    assert is_small_talk({"op": "heartbeat_worker", "now": 1})
    assert is_small_talk({"compression": None, "pickle-protocol": 5})
    assert is_small_talk([{"op": "heartbeat-client"}])
    assert not is_small_talk([{"op": "heartbeat-client"}, {"op": "update-graph"}])
    assert not is_small_talk({"op": "get_data", "keys": ["x"]})
    assert not is_small_talk({"status": "OK"})
    assert not is_small_talk("OK")


def test_a_tap_counts_each_message_at_its_sender_but_no_small_talk_nor_the_answer_to_it() -> None:
    tap, comm = Tap(), Comm({"op": "run"}, {"op": "get_data"})
    read, write = tap._reading(Comm.read), tap._writing(Comm.write)

    async def talk() -> None:
        await read(comm)
        await write(comm, {"status": "OK", "result": 1})
        await write(comm, {"op": "heartbeat_worker"})
        assert tap.report().sent == []
        await read(comm)
        await write(comm, {"status": "OK", "data": {}})
        await write(comm, [{"op": "task-finished"}])

    asyncio.run(talk())
    assert tap.report() == Report([(ONE, MAIN, 200, 2)], frozenset({ONE}), 0.0)


def test_pickling_inside_pickling_takes_its_time_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr(traffic_probe.time, "thread_time", lambda: float(next(clock)))  # a second for each look at it
    tap = Tap()
    inner = tap._timed(lambda: 3)
    outer = tap._timed(lambda: inner() + inner())
    assert outer() == 6
    assert tap.seconds == 1.0
    inner()
    assert tap.seconds == 2.0


def test_a_tap_puts_everything_back() -> None:
    tcp = pytest.importorskip("distributed.comm.tcp").TCP
    from distributed import protocol

    before = tcp.write, tcp.read, protocol.dumps, protocol.loads
    tap = Tap()
    tap.install()
    assert tcp.write is not before[0]
    tap.remove()
    assert (tcp.write, tcp.read, protocol.dumps, protocol.loads) == before


def test_messages_are_told_apart_by_who_sent_them_to_whom() -> None:
    tally = Tally()
    client = "tcp://127.0.0.1:4"  # in the same process as the scheduler
    here = Report(
        [(MAIN, ONE, 10, 1), (client, MAIN, 5000, 2), (MAIN, client, 5000, 2)], frozenset({MAIN, client}), 1.0
    )
    one = Report([(ONE, MAIN, 300, 3), (ONE, TWO, 70, 1)], frozenset({ONE}), 0.5)
    two = Report([(TWO, MAIN, 400, 4)], frozenset({TWO}), 0.25)
    fill(tally, here, [one, two])
    assert (tally.to_tasks, tally.between, tally.from_tasks) == (80, 70, 700)
    assert (tally.messages, tally.seconds) == (1 + 1 + 3 + 4, 1.75)


# --- What a person reads


def test_sentences() -> None:
    assert list(traffic_probe.format({"processes": FOUND})) == [
        "processes: 31.0 MiB returned by 8 tasks (3.88 MiB each), 2.10 KiB sent; "
        "12.0 ms of pickling in one compute of 500 ms"
    ]
    one = {**FOUND, "tasks": 1, "to_tasks_bytes": 64 << 20, "between_workers_bytes": 48 << 20}
    (line,) = traffic_probe.format({"distributed": one})
    assert "31.0 MiB returned by 1 task, 64.0 MiB sent, 48.0 MiB of it from worker to worker; " in line


def test_advice_where_moving_data_takes_much() -> None:
    assert advice(FOUND) == ""
    assert "reduce the results" in advice({**FOUND, "seconds": 0.2})
    assert "reduce the results" in advice({**FOUND, "compute_seconds": 0.1})  # hardly any pickling, but what a pipe can
    sent = {**FOUND, "to_tasks_bytes": 31 << 20, "from_tasks_bytes": 100, "seconds": 0.2}
    assert "read or make their data" in advice(sent)
    assert "both ways" in advice({**sent, "from_tasks_bytes": 20 << 20})


# --- For real


@pytest.mark.serial
@pytest.mark.parametrize("scheduler", ["processes", "processes-default", "loky", "distributed"])
def test_the_bytes_that_tasks_return_are_found_again(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := all_schedulers()[scheduler].unavailable():
        pytest.skip(reason)
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))
    workload = workload_of("return_bytes")
    moved = workload.build(**workload.sizes["small"]).moved_bytes
    with prober.LiveProbed(Case("return_bytes", "small", scheduler, 2, 1), 60.0) as probed:
        probed.ready()
        first, second = traffic_probe.examine(probed), traffic_probe.examine(probed)  # it leaves nothing behind
    for found in (first, second):
        assert set(found) == set(FOUND)
        assert found["tasks"] == 4
        assert moved <= found["from_tasks_bytes"] < 1.1 * moved
        assert 0 < found["to_tasks_bytes"] < 20_000
        assert found["messages"] >= 2
        assert found["seconds"] >= 0
    if scheduler != "distributed":  # when a cluster says what is not quite the same in every compute
        assert first["to_tasks_bytes"] == second["to_tasks_bytes"]
        assert first["messages"] == second["messages"] == (2 if scheduler == "processes-default" else 8)


@pytest.mark.serial
@pytest.mark.parametrize("scheduler", ["processes", "distributed"])
def test_the_bytes_in_the_graph_are_found_again(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := all_schedulers()[scheduler].unavailable():
        pytest.skip(reason)
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path / "cache"))
    workload = workload_of("embedded_bytes")
    moved = workload.build(**workload.sizes["small"]).moved_bytes
    with prober.LiveProbed(Case("embedded_bytes", "small", scheduler, 2, 1), 60.0) as probed:
        probed.ready()
        found = traffic_probe.examine(probed)
    assert moved <= found["to_tasks_bytes"] < 1.1 * moved
    assert found["from_tasks_bytes"] < 20_000
