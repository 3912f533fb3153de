"""What several tests of the check need."""

from __future__ import annotations

import pytest

from gilbench.checks import deliver, scope


@pytest.fixture
def two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two CPUs, outside any CI job."""
    monkeypatch.setattr(scope, "usable_cpus", lambda: 2)
    monkeypatch.delenv(deliver.JOB_SUMMARY, raising=False)
