"""Files: written whole or not at all, data fit for JSON, and the folder for what is made once."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from gilbench import variables


def write(path: Path, content: bytes) -> None:
    """Write a whole file or none: a reader never sees half of it, and a failure leaves the old one. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder for what is made once: GILBENCH_CACHE, or the same default as for generated files."""
    return Path(os.environ.get(variables.CACHE) or ".cache/gilbench").expanduser().absolute()


def finite(data: Any) -> Any:
    """Return the data with numbers that JSON does not have as None."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
