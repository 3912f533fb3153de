"""Fakes for tests of the check: arms, what they say about themselves, and families that are decided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gilbench.cases.case import Case
from gilbench.checks.arms import Arm, Known
from gilbench.checks.family import Family, family_of
from gilbench.checks.lockstep import Epoch
from gilbench.checks.scope import CheckOptions
from gilbench.errors import Failure
from tests.scripted import MACHINE

ARMS = (Arm("base", Path("base"), "python", "main (1234567)"), Arm("head", Path("head"), "python", "working tree"))
OPTIONS = CheckOptions(floor=0.0, seed=1)
W0, W1 = (Case(f"w{i}", "tiny", "sync") for i in range(2))


def workload(name: str, family: str = "loops", **more: Any) -> dict[str, Any]:
    """What an arm says of a workload."""
    fields = {"representative": True, "collection": False, "pinned": True, "modules": [], "threshold": None}
    return {"name": name, "family": family, **fields, **more}


def known(*workloads: Mapping[str, Any], **machine: str | int) -> Known:
    return Known({fields["name"]: fields for fields in workloads}, {**MACHINE, **machine})


def both(*workloads: Mapping[str, Any]) -> dict[str, Known]:
    return {"base": known(*workloads), "head": known(*workloads)}


def judged(**ratios: float) -> Family:
    """Workload -> ratio that never varies, to a family that is decided."""
    family = family_of({Case(name, "tiny", "sync"): 0.03 for name in ratios})
    while still := family.open():
        ratio = ratios[still[0].case.workload]
        family = family.added(Epoch(still[0].case, 1, 1.0, (0.1,) * 6, (0.1 * ratio,) * 6))
    return family


def broken(case: Case, *arms: str) -> Epoch:
    return Epoch(case, 1, 2.0, failures={arm: Failure("raised", f"ValueError: {arm}") for arm in arms})
