"""Many CSV files at once: what read_csv does with the GIL depends on the types of the columns, so each has its own.

The files are warm in the page cache when anything is timed: this measures parsing, not the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gilbench.workloads._events import event_facts, event_files

from gilbench import Job, workload
from gilbench.targets.workload import SIZES

_NUMBERS: Final = ("product_id", "category_id", "price", "user_id")
_TEXTS: Final = ("event_time", "event_type", "category_code", "brand", "user_session")
# The sizes belong to the files: see workloads/_events.py.
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


def _presents(facts: list[dict[str, Any]]) -> list[Any]:
    return [fact["present"] for fact in facts]


def _one_task_a_file(
    task: Callable[[str], Any],
    size: str,
    columns: tuple[str, ...],
    answers: Callable[[list[dict[str, Any]]], list[Any]],
) -> Job:
    """Read and reduce in the same task, so that a few numbers come back and no table has to move."""
    from dask import delayed

    return _job([delayed(task)(path) for path in event_files(size, columns)], size, answers)


def _job(collections: list[Any], size: str, answers: Callable[[list[dict[str, Any]]], list[Any]]) -> Job:
    facts = event_facts(size)
    # Nothing is known of the user's own files beforehand: then the sync scheduler's result is the answer.
    return Job(collections) if facts is None else Job(collections, answer=answers(facts))


@workload(
    **_FILES,
    claims=("many-csv", "csv-threads"),
    modules=("pandas", "pyarrow"),
    representative=True,
    scaling=True,
)
def csv_max_price(size: str) -> Job:
    """The tutorial's example: highest price of each CSV file

    One delayed(pd.read_csv) for each file, its highest price, and one dask.compute of them all. Written as the tutorial
    writes it, so the table goes from one task to the next: for free between threads, through a pipe to the main session
    and back between processes. Measures the claims about many CSV files and about threads winning on read_csv.
    """
    import pandas as pd
    from dask import delayed

    return _job(
        [delayed(pd.read_csv)(path)["price"].max() for path in event_files(size, ("price",))], size, _max_prices
    )


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"))
def csv_numbers(size: str) -> Job:
    """Read only the numeric columns of CSV files

    Splitting lines and parsing numbers happen without the GIL. The claim that threads win on read_csv at its best.
    """

    def answers(facts: list[dict[str, Any]]) -> list[Any]:
        return [{**fact["max"], "price": fact["price_max"] / 100} for fact in facts]

    return _one_task_a_file(_read_numbers, size, _NUMBERS, answers)


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"))
def csv_text(size: str) -> Job:
    """Read only the text columns of CSV files, as strings

    With pandas' default string type, backed by Arrow since pandas 3, text is read without the GIL too. Measures whether
    the claim that threads win on read_csv includes text.
    """
    return _one_task_a_file(_read_texts, size, _TEXTS, _presents)


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"))
def csv_text_object(size: str) -> Job:
    """Read only the text columns of CSV files, as Python objects

    The columns of csv_text with dtype=object, as before pandas 3: a Python string for each value, made under the GIL.
    Where the claim that threads win on read_csv ends.
    """
    return _one_task_a_file(_read_texts_object, size, _TEXTS, _presents)


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"), pinned=False)
def csv_inner_threads(size: str) -> Job:
    """Read CSV files with pandas' own threads left on

    From 5 MB a file pandas 3.1 parses with threads of its own, as users get it. Measures what is left of the claim that
    threads win on read_csv when one read is parallel already, and what workers times inner threads cost.
    """
    return _one_task_a_file(_read_max_price, size, ("price",), _max_prices)


@workload(**_FILES, claims=("csv-threads",), modules=("pandas", "pyarrow"))
def csv_pyarrow(size: str) -> Job:
    """Read CSV files with engine="pyarrow"

    Arrow's parser in place of pandas' own, held to one inner thread: whether the claim that threads win on read_csv
    depends on the engine.
    """
    return _one_task_a_file(_read_max_price_pyarrow, size, ("price",), _max_prices)
