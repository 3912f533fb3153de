"""Fixtures and settings of all tests."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

DOCS = str(Path(__file__).parents[1] / "docs")


def pytest_configure() -> None:
    """Handle Ctrl-C, and let child processes handle it: background jobs, as in some CI systems, start with it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Import a script of docs/ by its name; tests use parts of it."""

    def load(name: str) -> ModuleType:
        if DOCS not in sys.path:
            sys.path.append(DOCS)
        return importlib.import_module(name)

    return load
