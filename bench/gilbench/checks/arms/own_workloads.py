"""gilbench's own workloads: an arm is asked which of them it has, and for its versions."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gilbench.checks.arms.arm import Arm
from gilbench.console import printable
from gilbench.errors import UserError

ASK = """
import json
from gilbench.machine import fingerprint
from gilbench.targets.builtin import all_workloads
keep = ("name", "family", "representative", "collection", "pinned", "modules", "threshold")
found = [{key: getattr(workload, key, None) for key in keep} for workload in all_workloads().values()]
print(json.dumps({"workloads": found, "machine": fingerprint()}))
"""


@dataclass(frozen=True)
class Known:
    """What an arm says about itself before anything is measured.

    workloads: name -> some fields of Workload. machine: fingerprint, as in gilbench.machine.
    """

    workloads: Mapping[str, Mapping[str, Any]]
    machine: Mapping[str, Any]


def ask(arm: Arm) -> Known:
    """Ask an arm for its workloads and versions. Raises UserError where it cannot be imported."""
    done = subprocess.run(
        [arm.python, "-P", "-c", ASK],
        capture_output=True,
        text=True,
        env={**os.environ, **arm.environment},
        cwd=arm.folder,
        check=False,
    )
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return Known({workload["name"]: workload for workload in found["workloads"]}, found["machine"])
    except (ValueError, IndexError, KeyError, TypeError):
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1].removeprefix("gilbench.errors.UserError: ")
        missing = re.search("No module named '(dask|numpy|pandas|pyperf|psutil|scipy|click|threadpoolctl)", said)
        fix = ""
        if missing:
            fix = f": install gilbench's packages there, or add with={missing[1]} for an environment of its own"
        raise UserError(f"{arm.name} ({arm.label}) cannot be imported: {printable(said)}{fix}") from None
