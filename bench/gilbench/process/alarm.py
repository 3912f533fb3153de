"""A limit on how long the user's own code may take in this process, such as an import that never ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from gilbench.errors import UserError

AGAIN = 0.5  # seconds after which code that goes on in spite of the error gets it again


@contextlib.contextmanager
def within(seconds: float, late: str) -> Iterator[None]:
    """Raise UserError, with the text `late`, in code of this block that takes longer than this.

    Only in the main thread of a POSIX system: elsewhere nothing can be interrupted, and nothing is limited.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise UserError(late)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
