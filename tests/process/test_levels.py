"""Levels of the allocator: what a child gets, what a user's own setting is worth, and what a result says of it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from gilbench.process import child, levels
from gilbench.process.levels import AS_IS, LEVELED


def test_a_leveled_child_gets_every_threshold_because_setting_one_changes_the_others() -> None:
    found = child.environment(1, pinned=True, level=LEVELED, given={"MALLOC_TRIM_THRESHOLD_": "65536"})
    assert {name: found[name] for name in levels.ALLOCATOR} == dict(levels.ALLOCATOR)
    assert set(levels.ALLOCATOR) == {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"}


def test_as_is_leaves_what_the_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    found = child.environment(1, pinned=True, level=AS_IS)
    assert found["MALLOC_TRIM_THRESHOLD_"] == "1"
    assert "MALLOC_TOP_PAD_" not in found


@pytest.mark.parametrize(
    ("library", "level", "said"),
    [
        (("glibc", "2.36"), LEVELED, "glibc 2.36: trim, mmap and top-pad thresholds fixed"),
        (("glibc", "2.36"), AS_IS, "glibc 2.36: as it is"),
        (("musl", "1.2"), LEVELED, "musl 1.2: not leveled, because only glibc's allocator reads these settings"),
        (("", ""), LEVELED, f"the C library of {platform.system()}: not leveled, because only glibc's allocator reads"),
    ],
)
def test_a_result_says_what_was_leveled(
    monkeypatch: pytest.MonkeyPatch, library: tuple[str, str], level: str, said: str
) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    assert levels.in_words(level).startswith(said)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc reads these settings")
def test_a_leveled_process_keeps_freed_memory_and_faults_none_of_it_in_again() -> None:
    """Page faults are counted, not time: they are what the thresholds are about, and the same on a busy machine."""
    code = (
        "import resource\n"
        "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(3): bytearray(8 << 20)\n"
        "before = faults()\n"
        "for _ in range(20): bytearray(8 << 20)\n"
        "print(faults() - before)\n"
    )

    def faults(level: str) -> int:
        variables = {**os.environ, **dict.fromkeys(levels.ALLOCATOR, "")} if level == AS_IS else dict(os.environ)
        variables = {name: value for name, value in variables.items() if value or name not in levels.ALLOCATOR}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**variables, **levels.environment(level)},
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    pages = 20 * (8 << 20) // 4096
    assert faults(LEVELED) < 0.05 * pages
