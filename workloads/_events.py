"""The e-commerce event log that the CSV workloads read: generated once into the cache folder, or the user's own files.

The environment variables GILBENCH_CACHE and GILBENCH_DATA (see gilbench.variables) say which, so that spawned processes
agree with the process that started them.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gilbench.errors import UserError
from gilbench.files import cache_folder, write
from gilbench.variables import CACHE, DATA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Part of the folder's name. Raise it when the content changes, and old folders are no longer used.
FORMAT: Final = 1
COLUMNS: Final = (
    "event_time",
    "event_type",
    "product_id",
    "category_id",
    "category_code",
    "brand",
    "price",
    "user_id",
    "user_session",
)
# size -> (number of files, rows in each). A row takes about 130 bytes. pandas' own parallel parser starts at 5 MB per
# file: `default` is just above that, and `small` well below.
SHAPES: Final = {"tiny": (3, 200), "small": (4, 8_000), "default": (4, 42_000), "large": (8, 160_000)}

_FACTS: Final = "facts.json"
_TYPES: Final = ("view", "cart", "purchase")
_BRANDS: Final = (
    "samsung",
    "apple",
    "xiaomi",
    "huawei",
    "bosch",
    "lucente",
    "sony",
    "lg",
    "acer",
    "oppo",
    "asus",
    "elenberg",
)
_CATEGORIES: Final = (
    "electronics.smartphone",
    "electronics.clocks",
    "electronics.video.tv",
    "electronics.audio.headphone",
    "computers.notebook",
    "computers.peripherals.mouse",
    "appliances.kitchen.washer",
    "appliances.kitchen.refrigerators",
    "appliances.environment.vacuum",
    "apparel.shoes",
    "furniture.living_room.sofa",
    "auto.accessories.player",
)
_NO_CATEGORY: Final = 0.3  # fractions of missing values in the log that this one imitates
_NO_BRAND: Final = 0.15


def event_files(size: str, columns: Sequence[str] = COLUMNS) -> list[str]:
    """Return the absolute paths of the CSV files to read: the user's own if GILBENCH_DATA is set, else generated ones.

    Raises UserError if the user's glob matches no file, or if one of the files lacks one of `columns`.
    """
    pattern = _own_data()
    if pattern is None:
        return [str(path) for path in ensure_events(size)]
    # Path.glob takes no absolute patterns.
    found = glob.glob(str(Path(pattern).expanduser()), recursive=True)  # noqa: PTH207
    files = sorted(path for path in (Path(name).absolute() for name in found) if path.is_file())
    if not files:
        raise UserError(f"no file matches {DATA}={pattern!r}: give a glob of CSV files")
    for path in files:
        _check_columns(path, columns)
    return [str(path) for path in files]


def event_facts(size: str) -> list[dict[str, Any]] | None:
    """Return what is known about each generated file without reading it; None for the user's own files.

    Keys: rows; price_max; price_sums (event type -> sum of price); max (numeric column -> maximum); present (text
    column -> values that are not missing). Prices are in cents, as integers.
    """
    if _own_data() is not None:
        return None
    folder = ensure_events(size)[0].parent
    facts: list[dict[str, Any]] = json.loads((folder / _FACTS).read_text(encoding="utf-8"))["files"]
    return facts


def ensure_events(size: str) -> list[Path]:
    """Return the generated files of a size, after writing them unless all of them exist and are complete.

    Raises UserError where they cannot be written.
    """
    folder = cache_folder() / f"events-v{FORMAT}-{size}"
    count, rows = SHAPES[size]
    files = [folder / f"events-{number}.csv" for number in range(count)]
    if _whole(folder, files):
        return files
    try:
        folder.mkdir(parents=True, exist_ok=True)
        facts = [_write_file(path, seed=number, rows=rows) for number, path in enumerate(files)]
        # Last, so that the facts are only there once every file is.
        write(folder / _FACTS, json.dumps({"format": FORMAT, "files": facts}, indent=1).encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write the event log to {folder}: {reason}; set {CACHE} to another folder") from error
    return files


def _own_data() -> str | None:
    return os.environ.get(DATA) or None


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    import pandas as pd

    try:
        # pandas reads the header as it will read the file: with the same compression, quoting and encoding.
        found = list(pd.read_csv(path, nrows=0).columns)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} (from {DATA}) as CSV: {' '.join(str(error).split())}") from error
    missing = [column for column in columns if column not in found]
    if missing:
        raise UserError(f"{path} (from {DATA}) has no column {', '.join(missing)}: it has {', '.join(found)}")


def _whole(folder: Path, files: Sequence[Path]) -> bool:
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))["files"]
        recorded = {str(fact["name"]): fact["bytes"] for fact in facts}
        return recorded == {path.name: path.stat().st_size for path in files}
    except (OSError, ValueError, KeyError, TypeError):
        return False


@dataclass(frozen=True)
class _Drawn:
    """The numbers of a file, one per row. kind, category, brand: indices into the tuples above; has_: whether it is given."""

    moment: NDArray[np.datetime64]
    kind: NDArray[np.int64]
    product_id: NDArray[np.int64]
    category_id: NDArray[np.int64]
    category: NDArray[np.int64]
    has_category: NDArray[np.bool_]
    brand: NDArray[np.int64]
    has_brand: NDArray[np.bool_]
    cents: NDArray[np.int64]
    user_id: NDArray[np.int64]
    user_session: Any  # text, a pyarrow array


def _write_file(path: Path, seed: int, rows: int) -> dict[str, Any]:
    """Write a file and return its facts, which come from the numbers drawn, not from the text written."""
    import pyarrow as pa
    from pyarrow import csv

    drawn = _draw(seed, rows)
    sink = pa.BufferOutputStream()
    # The header is written by hand, because pyarrow would quote the names.
    sink.write((",".join(COLUMNS) + "\n").encode())
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    csv.write_csv(pa.table(_columns(drawn)).select(COLUMNS), sink, options)
    content = sink.getvalue().to_pybytes()
    write(path, content)
    return {"name": path.name, "bytes": len(content), "rows": rows, **_facts(drawn)}


def _draw(seed: int, rows: int) -> _Drawn:
    import numpy as np

    draw = np.random.default_rng([FORMAT, seed])
    start = np.datetime64("2019-10-01T00:00:00", "s") + np.timedelta64(7 * seed, "D")
    seconds = np.sort(draw.integers(0, 7 * 86_400, rows))
    kind = np.searchsorted([0.94, 0.98], draw.random(rows), side="right")
    product = draw.integers(0, max(rows // 10, 1), rows)
    category = product % len(_CATEGORIES)
    has_category = draw.random(rows) >= _NO_CATEGORY
    has_brand = draw.random(rows) >= _NO_BRAND
    # Log-normal: many cheap products and a few expensive ones, with the median at e**5 = 148.
    cents = (np.exp(draw.normal(5.0, 0.7, rows)) * 100).astype(np.int64)
    sessions = max(rows // 5, 1)
    session = draw.integers(0, sessions, rows)
    return _Drawn(
        moment=start + seconds,
        kind=kind,
        product_id=1_000_000 + 37 * product,
        category_id=2_053_013_550_000_000_000 + 7_919 * category,
        category=category,
        has_category=has_category,
        brand=product // len(_CATEGORIES) % len(_BRANDS),
        has_brand=has_brand,
        cents=cents,
        user_id=512_000_000 + 3 * session,
        user_session=_uuids(draw, sessions).take(session),
    )


def _columns(drawn: _Drawn) -> dict[str, Any]:
    """Return the columns of a file: whole numbers as such, everything else as text."""
    import pyarrow as pa
    from pyarrow import compute

    whole = pa.array(drawn.cents // 100).cast(pa.string())
    hundredths = pa.array([f"{value:02d}" for value in range(100)]).take(pa.array(drawn.cents % 100))
    return {
        "event_time": _times(drawn.moment),
        "event_type": pa.array(_TYPES).take(pa.array(drawn.kind)),
        "product_id": pa.array(drawn.product_id),
        "category_id": pa.array(drawn.category_id),
        "category_code": pa.array(_CATEGORIES).take(pa.array(drawn.category, mask=~drawn.has_category)),
        "brand": pa.array(_BRANDS).take(pa.array(drawn.brand, mask=~drawn.has_brand)),
        "price": compute.binary_join_element_wise(whole, hundredths, "."),
        "user_id": pa.array(drawn.user_id),
        "user_session": drawn.user_session,
    }


def _facts(drawn: _Drawn) -> dict[str, Any]:
    """Return what the right answers are made of: maxima, sums in cents, and numbers of values."""
    rows = len(drawn.cents)
    sold = [(name, drawn.cents[drawn.kind == code]) for code, name in enumerate(_TYPES)]
    return {
        "price_max": int(drawn.cents.max()),
        "price_sums": {name: int(cents.sum()) for name, cents in sold if len(cents)},
        "max": {name: int(getattr(drawn, name).max()) for name in ("product_id", "category_id", "user_id")},
        "present": {
            "event_time": rows,
            "event_type": rows,
            "category_code": int(drawn.has_category.sum()),
            "brand": int(drawn.has_brand.sum()),
            "user_session": rows,
        },
    }


def _times(moments: NDArray[np.datetime64]) -> Any:
    """Return each as text such as "2019-10-01 00:00:00 UTC", ten times faster than strftime."""
    import numpy as np

    text = np.empty((len(moments), 23), dtype=np.uint8)
    iso = np.datetime_as_string(moments, unit="s").astype("S19")
    text[:, :19] = iso.view(np.uint8).reshape(-1, 19)
    text[:, 10] = ord(" ")
    text[:, 19:] = np.frombuffer(b" UTC", dtype=np.uint8)
    return _strings(text)


def _uuids(draw: np.random.Generator, count: int) -> Any:
    """Return `count` random UUIDs as text."""
    import numpy as np

    digits = np.frombuffer(draw.bytes(16 * count).hex().encode(), dtype=np.uint8).reshape(count, 32)
    text = np.full((count, 36), ord("-"), dtype=np.uint8)
    for part, (low, high) in enumerate(((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))):
        text[:, low + part : high + part] = digits[:, low:high]
    return _strings(text)


def _strings(text: NDArray[np.uint8]) -> Any:
    """Return rows of ASCII codes as a pyarrow array of strings."""
    import pyarrow as pa

    rows, width = text.shape
    return (
        pa.Array.from_buffers(pa.binary(width), rows, [None, pa.py_buffer(text.tobytes())])
        .cast(pa.binary())
        .cast(pa.string())
    )
