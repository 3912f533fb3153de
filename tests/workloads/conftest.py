"""Every test here reads generated files from a folder of this test run, never the user's own files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def events_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GILBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("GILBENCH_DATA", raising=False)
        yield
