"""The fingerprint of machine and software: what a result was measured on, and whether two results can be compared."""

from __future__ import annotations

import math
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

Value = str | int | float
MEASURED_PACKAGES = ("dask", "distributed", "pandas", "numpy", "pyarrow", "loky")
"""What is measured, or does the measured work: the versions that a result states, in the order in which they matter."""
PACKAGES = (*MEASURED_PACKAGES, "pyperf", "cloudpickle")
"""Packages whose versions are in the fingerprint."""
ONLY_STATED = ("cpu_governor", "graph_drawing", "cgroup_memory_bytes", "memory_bytes", "pyperf_version")
"""What may differ between fingerprints whose timings are compared: it drifts by itself, or changes no timing. All else
has to be equal."""
CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """Return how many CPUs this process may use: the least that affinity, PYTHON_CPU_COUNT, and the cgroup's quota allow."""
    counts = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    if hasattr(os, "process_cpu_count"):  # Python 3.13; honors PYTHON_CPU_COUNT
        counts.append(os.process_cpu_count() or 1)
    quota = cgroup_cpu_quota()
    if quota is not None:
        counts.append(math.ceil(quota))
    return max(1, min(counts))


def cgroup_cpu_quota() -> float | None:
    """Return how many CPUs the cgroup (v2) grants, such as 1.5; None without a limit or a cgroup."""
    quota, _, period = _read(CGROUP / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def cgroup_memory_limit() -> int | None:
    """Return the cgroup's (v2) memory limit in bytes; None without a limit or a cgroup."""
    limit = _read(CGROUP / "memory.max")
    return int(limit) if limit.isdigit() else None


def gil_enabled() -> bool:
    """Return whether this interpreter runs with the GIL right now: loading an extension can switch it on."""
    check: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return check()


def fingerprint() -> dict[str, Value]:
    """Return what is the same for every observation of a run, as flat pyperf metadata. Imports none of the measured packages.

    Names of machines, users, and folders are left out on purpose: results are made to be shared.
    """
    import psutil

    found: dict[str, Value] = {
        "cpu_model_name": _cpu_model(),
        "usable_cpus": usable_cpus(),
        "physical_cpus": psutil.cpu_count(logical=False) or 0,
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "virtualised": "yes" if "hypervisor" in _cpu_info("flags").split() else _virtualized_by_name(),
        "cpu_governor": _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) or "unknown",
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "python_build": "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "gil",
        "gil": "enabled" if gil_enabled() else "disabled",
        "python_compiler": platform.python_compiler(),
    }
    quota, limit = cgroup_cpu_quota(), cgroup_memory_limit()
    found["cgroup_cpus"] = "unlimited" if quota is None else quota
    found["cgroup_memory_bytes"] = "unlimited" if limit is None else limit
    for package in PACKAGES:
        try:
            found[f"{package}_version"] = version(package)
        except PackageNotFoundError:
            found[f"{package}_version"] = "absent"
    found["graph_drawing"] = graph_drawing()
    return found


def differences(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, tuple[Value, Value]]:
    """Return key -> (value before, value after) for all that differs between two fingerprints; "unknown" where one lacks it."""
    return {
        key: (before.get(key, "unknown"), after.get(key, "unknown"))
        for key in {**before, **after}
        if before.get(key) != after.get(key)
    }


def obstacles(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, tuple[Value, Value]]:
    """Return those differences that make timings incomparable: see ONLY_STATED."""
    return {key: values for key, values in differences(before, after).items() if key not in ONLY_STATED}


def graph_drawing() -> str:
    """Return what `.visualize()` can draw with here: "graphviz", "cytoscape", or "nothing: " and the reason."""
    if find_spec("graphviz"):
        return "graphviz" if shutil.which("dot") else "nothing: the graphviz package lacks its dot program"
    return "cytoscape" if find_spec("ipycytoscape") else "nothing: neither graphviz nor ipycytoscape is installed"


def blas() -> str:
    """Return the name and version of the BLAS that numpy loaded, or "none loaded"."""
    if "numpy" not in sys.modules:
        return "none loaded"
    from threadpoolctl import threadpool_info

    pools = [f"{pool['internal_api']} {pool['version']}" for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(sorted(set(pools))) or "none loaded"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _cpu_info(key: str) -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _cpu_model() -> str:
    return _cpu_info("model name") or platform.processor() or platform.machine()


def _virtualized_by_name() -> str:
    vendor = _read(Path("/sys/class/dmi/id/product_name"))
    if any(word in vendor for word in ("Virtual", "KVM", "VMware", "HVM")):
        return "yes"
    return "no" if vendor else "unknown"
