"""traffic: bytes pickled to and from tasks in one compute, and the CPU time of pickling and unpickling them at both ends.

Bytes are the payload as the scheduler pickles it, with each message counted once. Two things are not counted: what a pool adds
when it pickles these bytes once more for its pipe, and the copying through pipes and sockets.

    dask's processes    get's own func_dumps and func_loads are replaced; a child sends its seconds along with its result
    an Executor         a counting one around it pickles functions, arguments and results with cloudpickle, as loky does
    distributed         the comms are tapped in this process (client and scheduler) and in every worker. Whole messages count,
                        the scheduler's own included. Messages between client and scheduler cost seconds, but are not traffic

Seconds are CPU time, so that waiting for the GIL or for a busy machine does not count as pickling.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakSet

from gilbench import units
from gilbench.probes import Found, Probed, Scene, Unavailable
from gilbench.schedulers import all_schedulers

SCHEDULERS = tuple(scheduler.name for scheduler in all_schedulers().values() if scheduler.crosses)
PINNED = True
OF_WORKLOADS = True
SECONDS = 0.3  # of computes that are counted; at least one compute is
COMPUTES = 10  # at most
LATE = 0.02  # seconds in which the last messages of a cluster arrive, once it has forgotten its tasks
MUCH = 0.2  # pickling, as a share of a compute, from which something should be done about it
MANY_BYTES = 100e6  # likewise, bytes per second of a compute: pipes between processes carry some hundred MB a second

# Messages that a cluster sends without any compute, and those that install and remove the taps.
SMALL_TALK = frozenset({"run", "broadcast", "heartbeat_worker", "heartbeat-client", "identity", "keep-alive"})
HANDSHAKE = "pickle-protocol"  # a key of the first message over every connection


@dataclass
class Tally:
    """What was counted so far.

    to_tasks, from_tasks: bytes. between: those of to_tasks that went from worker to worker. seconds: CPU time of pickling and
    unpickling, at both ends. pid: of the process that counts.
    """

    to_tasks: int = 0
    from_tasks: int = 0
    between: int = 0
    messages: int = 0
    seconds: float = 0.0
    pid: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, to_tasks: int = 0, from_tasks: int = 0, messages: int = 0, seconds: float = 0.0) -> None:
        """Add to the counts. Any thread may call it."""
        with self.lock:
            self.to_tasks += to_tasks
            self.from_tasks += from_tasks
            self.messages += messages
            self.seconds += seconds


# --- In the probed process


def count_traffic(scene: Scene) -> Found:
    """Compute for a while; return bytes, messages and seconds for one compute, on average."""
    from gilbench.cases.counting import counting

    with counting(scene.opened.keywords) as count, _counted(scene) as (compute, tally):
        computes, spent, end = 0, 0.0, time.perf_counter() + SECONDS
        while computes == 0 or (computes < COMPUTES and time.perf_counter() < end):
            start = time.perf_counter()
            compute()
            spent += time.perf_counter() - start
            scene.settle()
            computes += 1
    return {
        "tasks": round(count.tasks / computes),
        "to_tasks_bytes": round(tally.to_tasks / computes),
        "from_tasks_bytes": round(tally.from_tasks / computes),
        "between_workers_bytes": round(tally.between / computes),
        "messages": round(tally.messages / computes),
        "seconds": tally.seconds / computes,
        "compute_seconds": spent / computes,
    }


@contextmanager
def _counted(scene: Scene) -> Iterator[tuple[Callable[[], Any], Tally]]:
    """Yield a compute that is counted, and its tally, which is complete when the block ends. Raises Unavailable."""
    import dask.multiprocessing

    from gilbench.cases.checking import compute_of

    keywords, tally = scene.opened.keywords, Tally()
    scheduler = keywords.get("scheduler")
    if isinstance(scheduler, Executor):
        with _kept(tally):
            yield compute_of(scene.job, {**keywords, "scheduler": Counting(scheduler, tally)}, "function"), tally
    elif scheduler in ("processes", dask.multiprocessing.get):
        config = {"func_dumps": pack, "func_loads": unpack}
        with _kept(tally), _submits_counted(tally), dask.config.set(config):
            yield scene.compute, tally
    elif hasattr(scheduler, "run") and hasattr(scheduler, "scheduler_info"):
        with _tapped(scheduler, tally):
            yield scene.compute, tally
    else:
        raise Unavailable(f"under {scene.case.scheduler} nothing crosses from one process to another")


# --- Pickles that dask, or an Executor, hands to a pool

Parcel = tuple[bytes, float]  # the pickle, and the CPU seconds to add to what its receiver counts

_tally: Tally | None = None  # of the process that computes; children have none
_unpacked = threading.local()  # .seconds: what unpickling the task took, in the child's thread that runs it


@contextmanager
def _kept(tally: Tally) -> Iterator[None]:
    """Let `pack` and `unpack` count into a tally."""
    global _tally
    _tally = tally
    try:
        yield
    finally:
        _tally = None


def _own_tally() -> Tally | None:
    # A forked child inherits the variable, but does not count.
    return _tally if _tally is not None and _tally.pid == os.getpid() else None


def pack(value: Any) -> Parcel:
    """Pickle as dask does. A child sends along the seconds that this and the unpickling before took."""
    import cloudpickle

    start = time.thread_time()
    data: bytes = cloudpickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    seconds = time.thread_time() - start
    tally = _own_tally()
    if tally is None:
        seconds, _unpacked.seconds = seconds + getattr(_unpacked, "seconds", 0.0), 0.0
        return data, seconds
    tally.add(to_tasks=len(data), seconds=seconds)
    return data, 0.0


def unpack(parcel: Parcel) -> Any:
    """Undo `pack`."""
    data, elsewhere = parcel
    start = time.thread_time()
    value = pickle.loads(data)  # noqa: S301 - our own children's
    seconds = time.thread_time() - start
    tally = _own_tally()
    if tally is None:
        _unpacked.seconds = seconds
    else:
        tally.add(from_tasks=len(data), seconds=seconds + elsewhere)
    return value


class Counting(Executor):
    """Wraps another executor, and counts what goes into its processes and what comes back."""

    def __init__(self, inner: Executor, tally: Tally) -> None:
        self._inner, self._tally = inner, tally
        if hasattr(inner, "_max_workers"):
            self._max_workers = inner._max_workers  # dask asks for it

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a call, pickled."""
        outer: Future[Any] = Future()
        self._tally.add(messages=2)
        self._inner.submit(_run, pack((function, args, kwargs))).add_done_callback(partial(_pass_on, outer))
        return outer


def _run(parcel: Parcel) -> Parcel:
    function, args, kwargs = unpack(parcel)
    return pack(function(*args, **kwargs))


def _pass_on(outer: Future[Any], inner: Future[Parcel]) -> None:
    try:
        outer.set_result(unpack(inner.result()))
    except BaseException as error:  # noqa: BLE001 - it is passed on, and dask raises it
        outer.set_exception(error)


@contextmanager
def _submits_counted(tally: Tally) -> Iterator[None]:
    """Count what is submitted to process pools: dask sends one task, or a batch of them, with each message."""
    original = ProcessPoolExecutor.submit

    def submit(pool: ProcessPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
        tally.add(messages=2)  # and the answer
        return original(pool, *args, **kwargs)

    with _replaced(ProcessPoolExecutor, "submit", submit):
        yield


@contextmanager
def _replaced(owner: Any, name: str, new: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, original)


# --- A cluster, in which every process taps its own ends of the connections


@dataclass
class Tap:
    """One process's ends of the comms.

    sent: (own address, peer's address) -> [bytes, messages]. own: addresses of this process's ends, silent ones too.
    seconds: CPU time in which messages were pickled and unpickled.
    """

    sent: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    seconds: float = 0.0
    undo: list[tuple[Any, str, Any]] = field(default_factory=list)
    unheard: WeakSet[Any] = field(default_factory=WeakSet)  # comms whose next message answers small talk
    inside: threading.local = field(default_factory=threading.local)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """Replace what makes, sends, receives and reads messages in this process."""
        from distributed import client, protocol, scheduler
        from distributed.comm.tcp import TCP

        self._replace(TCP, "write", self._writing(TCP.write))
        self._replace(TCP, "read", self._reading(TCP.read))
        # The comms call the first two, for all messages. The client pickles a graph before it becomes a message, and the
        # scheduler unpickles it after that.
        for owner, name in (
            (protocol, "dumps"),
            (protocol, "loads"),
            (client, "serialize"),
            (scheduler, "deserialize"),
        ):
            self._replace(owner, name, self._timed(getattr(owner, name)))

    def remove(self) -> None:
        """Put the originals back."""
        while self.undo:
            setattr(*self.undo.pop())

    def report(self) -> Report:
        """Return what was heard, as plain data that can be sent."""
        sent = [(own, peer, size, messages) for (own, peer), (size, messages) in self.sent.items()]
        return Report(sent, frozenset(self.own), self.seconds)

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        self.undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, new)

    def _writing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def write(comm: Any, msg: Any, *args: Any, **kwargs: Any) -> Any:
            skip = comm in self.unheard or is_small_talk(msg)
            self.unheard.discard(comm)
            size = await original(comm, msg, *args, **kwargs)
            self.own.add(comm.local_address)
            if not skip:
                heard = self.sent.setdefault((comm.local_address, comm.peer_address), [0, 0])
                heard[0] += size
                heard[1] += 1
            return size

        return write

    def _reading(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def read(comm: Any, *args: Any, **kwargs: Any) -> Any:
            msg = await original(comm, *args, **kwargs)
            self.own.add(comm.local_address)
            if is_small_talk(msg):
                self.unheard.add(comm)
            return msg

        return read

    def _timed(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self.inside, "is_so", False):  # one of these functions calls another: count the outer one
                return original(*args, **kwargs)
            self.inside.is_so, start = True, time.thread_time()
            try:
                return original(*args, **kwargs)
            finally:
                seconds, self.inside.is_so = time.thread_time() - start, False
                with self.lock:  # large messages are pickled and unpickled outside the event loop's thread
                    self.seconds += seconds

        return timed


@dataclass(frozen=True)
class Report:
    """What the tap of one process heard.

    sent: (own address, peer's address, bytes, messages). own: addresses of its ends. seconds: CPU time of pickling.
    """

    sent: Sequence[tuple[str, str, int, int]]
    own: frozenset[str]
    seconds: float


def is_small_talk(msg: Any) -> bool:
    """Return whether a message belongs to no compute."""
    if isinstance(msg, dict):
        return msg.get("op") in SMALL_TALK or HANDSHAKE in msg
    return isinstance(msg, list) and all(isinstance(part, dict) and part.get("op") in SMALL_TALK for part in msg)


_tap: Tap | None = None


def _open_tap() -> None:
    global _tap
    _tap = Tap()
    _tap.install()


def _close_tap() -> Report:
    global _tap
    assert _tap is not None
    tap, _tap = _tap, None
    tap.remove()
    return tap.report()


@contextmanager
def _tapped(client: Any, tally: Tally) -> Iterator[None]:
    """Tap this process and all workers, and fill in the tally when the block ends."""
    address = client.scheduler_info()["address"]
    if not address.startswith(("tcp://", "tls://")):
        raise Unavailable(f"the cluster communicates over {address.partition(':')[0]}, which cannot be tapped")
    client.run(_open_tap)
    _open_tap()
    try:
        yield
        time.sleep(LATE)
    finally:
        here = _close_tap()
        workers = list(client.run(_close_tap).values())
    fill(tally, here, workers)


def fill(tally: Tally, here: Report, workers: Sequence[Report]) -> None:
    """Add up what each process sent to another one. here: the process of client and scheduler."""
    ends = [worker.own for worker in workers]
    tally.seconds += here.seconds + sum(worker.seconds for worker in workers)
    for _, peer, size, messages in here.sent:
        if any(peer in own for own in ends):
            tally.add(to_tasks=size, messages=messages)
    for number, worker in enumerate(workers):
        others = frozenset().union(*ends[:number], *ends[number + 1 :])
        for _, peer, size, messages in worker.sent:
            if peer in others:
                tally.add(to_tasks=size, messages=messages)
                tally.between += size
            else:
                tally.add(from_tasks=size, messages=messages)


# --- In the parent


def examine(probed: Probed) -> Found:
    """Return bytes, messages and CPU seconds of pickling, for one compute on average."""
    return probed.ask(count_traffic)


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    for scheduler, traffic in found.items():
        tasks, back, out = traffic["tasks"], traffic["from_tasks_bytes"], traffic["to_tasks_bytes"]
        each = f" ({units.size(back / tasks)} each)" if tasks > 1 else ""
        between = traffic["between_workers_bytes"]
        direct = f", {units.size(between)} of it from worker to worker" if between > out / 10 else ""
        yield (
            f"{scheduler}: {units.size(back)} returned by {tasks} task{'s' if tasks != 1 else ''}{each}, "
            f"{units.size(out)} sent{direct}; {units.seconds(traffic['seconds'])} of pickling in one compute of "
            f"{units.seconds(traffic['compute_seconds'])}{advice(traffic)}"
        )


def advice(traffic: Mapping[str, Any]) -> str:
    """Return what to do where moving data takes much of a compute, else nothing."""
    seconds, back, out = traffic["compute_seconds"], traffic["from_tasks_bytes"], traffic["to_tasks_bytes"]
    if traffic["seconds"] < MUCH * seconds and back + out < MANY_BYTES * seconds:
        return ""
    if min(back, out) > max(back, out) / 10:
        return ": much goes both ways, so let one task do what two pass to each other, or use threads"
    if back > out:
        return ": reduce the results inside the tasks, or use threads"
    return ": let tasks read or make their data themselves, or use threads"
