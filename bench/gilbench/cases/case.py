"""The case: one thing to measure."""

from __future__ import annotations

from dataclasses import dataclass

from gilbench.process.levels import AS_IS


@dataclass(frozen=True, order=True)
class Case:
    """One thing to measure: a workload at a size, under a scheduler with a number of workers.

    workers: processes that run tasks (1 for sync and threads).
    threads: threads per worker.
    pinned: inner threads pinned to one; False leaves them as users get them.
    measure: "time" (seconds per compute) or "memory" (peak bytes of the process tree beyond the idle scheduler).
    level: whether the memory allocator is set alike in every process that runs tasks (see gilbench.process.levels).
    """

    workload: str
    size: str
    scheduler: str
    workers: int = 1
    threads: int = 1
    pinned: bool = True
    measure: str = "time"
    level: str = AS_IS

    @property
    def parallelism(self) -> int:
        """Tasks that can run at once."""
        return self.workers * self.threads

    @property
    def shape(self) -> str:
        """`PxT`: processes times threads per process."""
        return f"{self.workers}x{self.threads}"

    @property
    def name(self) -> str:
        """Unique name, also of the pyperf benchmark: `csv_text:default:threads:1x2:leveled`."""
        parts = [self.workload, self.size, self.scheduler, self.shape]
        if not self.pinned:
            parts.append("unpinned")
        if self.measure != "time":
            parts.append(self.measure)
        if self.level != AS_IS:
            parts.append(self.level)
        return ":".join(parts)

    @property
    def baseline(self) -> Case:
        """The sync case that this case's speed-up is relative to (with inner threads pinned, so that it is serial)."""
        return Case(self.workload, self.size, "sync", 1, 1, True, self.measure, self.level)
