"""Files: written whole or not at all, data fit for JSON, and the folder for what is made once."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from gilbench.variables import CACHE


def write(path: Path, content: bytes) -> None:
    """Write the whole file or nothing: no reader sees half of it, and a failure leaves the old one. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder for what is made once and kept: GILBENCH_CACHE, or .cache/gilbench in the current folder."""
    return Path(os.environ.get(CACHE) or ".cache/gilbench").expanduser().absolute()


def cache_environment() -> dict[str, str]:
    """Return the variables that give a process in another folder the same cache folder."""
    return {CACHE: str(cache_folder())}


def finite(data: Any) -> Any:
    """Return the data with None in place of numbers that JSON does not have."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
