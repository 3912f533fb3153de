"""Levels: whether every process that runs tasks is given the same memory allocator settings, or what users get by default.

leveled    The C library's allocator keeps freed memory in every process. A speed-up then compares schedulers.
as-is       Nothing is set. A speed-up then also compares allocators: glibc's main thread gives freed memory back to the
            system after each task and faults it in again for the next one, and the threads of a pool do not.

The thresholds are those of mallopt(3). Setting any one of them also turns off glibc's dynamic adjustment of the others, so a
level names all of them. distributed's nanny sets MALLOC_TRIM_THRESHOLD_=65536 for its workers, except where the environment
has a value already: a leveled cluster therefore keeps ours, and a cluster as it is keeps the nanny's.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Final

LEVELED: Final = "leveled"
AS_IS: Final = "as-is"

# Bytes. glibc reads them once, before the first allocation of a process, so they have to be in its environment.
ALLOCATOR: Final[Mapping[str, str]] = {
    "MALLOC_TRIM_THRESHOLD_": "1000000000",  # free memory at the top of the heap beyond which it is given back
    "MALLOC_MMAP_THRESHOLD_": "1000000000",  # size of one allocation beyond which it is mapped, and unmapped when freed
    "MALLOC_TOP_PAD_": "268435456",  # how much more than asked for is taken from the system, and kept
}


def environment(level: str) -> dict[str, str]:
    """Return the variables that give a process its level. As-is removes nothing that the user has set."""
    return dict(ALLOCATOR) if level == LEVELED else {}


def in_words(level: str) -> str:
    """Return what the level does with this machine's C library, for the metadata of a result."""
    library, version = platform.libc_ver()
    name = f"{library} {version}".strip() or f"the C library of {platform.system()}"
    if level != LEVELED:
        return f"{name}: as it is"
    if library != "glibc":
        return f"{name}: not leveled, because only glibc's allocator reads these settings"
    return f"{name}: trim, mmap and top-pad thresholds fixed"
