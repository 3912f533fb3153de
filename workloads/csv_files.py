"""Many CSV files at once. Whether read_csv holds the GIL depends on the types of the columns, so each type is a workload.

The files are in the page cache before anything is timed: this measures parsing, not the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gilbench import Job, workload
from gilbench.targets.workload import SIZES
from gilbench.workloads._events import event_facts, event_files

_NUMBERS: Final = ("product_id", "category_id", "price", "user_id")
_TEXTS: Final = ("event_time", "event_type", "category_code", "brand", "user_session")
# What the sizes are is defined with the files, in workloads/_events.py.
_FILES: Final[Mapping[str, Mapping[str, Any]]] = {size: {"size": size} for size in SIZES}


def _read_max_price(path: str) -> float:
    import pandas as pd

    return float(pd.read_csv(path)["price"].max())


def _read_max_price_pyarrow(path: str) -> float:
    import pandas as pd

    return float(pd.read_csv(path, engine="pyarrow")["price"].max())


def _read_numbers(path: str) -> dict[str, float]:
    import pandas as pd

    frame = pd.read_csv(path, usecols=list(_NUMBERS))
    return {str(name): value for name, value in frame.max().items()}


def _read_texts(path: str) -> dict[str, int]:
    import pandas as pd

    return _present(pd.read_csv(path, usecols=list(_TEXTS)))


def _read_texts_object(path: str) -> dict[str, int]:
    import pandas as pd

    return _present(pd.read_csv(path, usecols=list(_TEXTS), dtype=object))


def _present(frame: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in frame.count().items()}


def _max_prices(facts: list[dict[str, Any]]) -> list[Any]:
    return [fact["price_max"] / 100 for fact in facts]


def _present_counts(facts: list[dict[str, Any]]) -> list[Any]:
    return [fact["present"] for fact in facts]


def _one_task_per_file(
    task: Callable[[str], Any],
    size: str,
    columns: tuple[str, ...],
    answers: Callable[[list[dict[str, Any]]], list[Any]],
) -> Job:
    """Read and reduce in the same task, so that only a few numbers are returned and no table has to move."""
    from dask import delayed

    return _job([delayed(task)(path) for path in event_files(size, columns)], size, answers)


def _job(collections: list[Any], size: str, answers: Callable[[list[dict[str, Any]]], list[Any]]) -> Job:
    facts = event_facts(size)
    # Nothing is known about the user's own files in advance: for them the sync scheduler's result is the answer.
    return Job(collections) if facts is None else Job(collections, answer=answers(facts))


@workload(
    **_FILES,
    claims=("many-csv", "csv-gil", "csv-threads"),
    modules=("pandas", "pyarrow"),
    representative=True,
    scaling=True,
)
def csv_max_price(size: str) -> Job:
    """The tutorial's example: the highest price in each CSV file

    A delayed(pd.read_csv) for each file, the highest price in it, and one dask.compute for all. It is written as in the
    tutorial, so the table passes from one task to the next: for free between threads, but through a pipe to the main
    session and back between processes. Measures the claims about many CSV files and about threads winning on read_csv.
    """
    import pandas as pd
    from dask import delayed

    return _job(
        [delayed(pd.read_csv)(path)["price"].max() for path in event_files(size, ("price",))], size, _max_prices
    )


@workload(**_FILES, claims=("csv-gil", "csv-threads"), modules=("pandas", "pyarrow"))
def csv_numbers(size: str) -> Job:
    """Read only the numeric columns of CSV files

    Splitting lines and parsing numbers happen without the GIL. This is where the claim that threads win on read_csv holds
    best.
    """

    def answers(facts: list[dict[str, Any]]) -> list[Any]:
        return [{**fact["max"], "price": fact["price_max"] / 100} for fact in facts]

    return _one_task_per_file(_read_numbers, size, _NUMBERS, answers)


@workload(**_FILES, claims=("csv-gil", "csv-threads"), modules=("pandas", "pyarrow"))
def csv_text(size: str) -> Job:
    """Read only the text columns of CSV files, as strings

    With pandas' default string type, backed by Arrow since pandas 3, text is read without the GIL too. Measures whether
    the claim that threads win on read_csv extends to text.
    """
    return _one_task_per_file(_read_texts, size, _TEXTS, _present_counts)


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"))
def csv_text_object(size: str) -> Job:
    """Read only the text columns of CSV files, as Python objects

    The columns of csv_text with dtype=object, as before pandas 3: a Python string for each value, created under the GIL.
    This is where the claim that threads win on read_csv ends.
    """
    return _one_task_per_file(_read_texts_object, size, _TEXTS, _present_counts)


@workload(**_FILES, claims=("csv-gil", "csv-threads"), modules=("pandas", "pyarrow"), pinned=False)
def csv_inner_threads(size: str) -> Job:
    """Read CSV files with pandas' own threads left on

    By default, pandas 3.1 parses files of 5 MB or more with threads of its own. Measures what is left of the claim that
    threads win on read_csv when a single read is parallel already, and what workers times inner threads cost.
    """
    return _one_task_per_file(_read_max_price, size, ("price",), _max_prices)


@workload(**_FILES, claims=("csv-gil", "csv-threads"), modules=("pandas", "pyarrow"))
def csv_pyarrow(size: str) -> Job:
    """Read CSV files with engine="pyarrow"

    Arrow's parser instead of pandas' own, limited to one inner thread. Measures whether the claim that threads win on
    read_csv depends on the engine.
    """
    return _one_task_per_file(_read_max_price_pyarrow, size, ("price",), _max_prices)
