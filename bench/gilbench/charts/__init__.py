"""Charts of results: one module per chart, each a pure function from summaries to a matplotlib Figure.

The folders of GROUPS are the registry: a module there whose name has no leading underscore is a chart. It defines

    def draw(summaries: Sequence[Summary]) -> Figure:
        '''What question does the chart answer, in one line?'''

    def tabulate(summary: Summary) -> Table:      # optional
        '''Return the same in figures.'''

`draw` uses neither pyplot nor files, and raises NothingToDraw if the results lack what the chart shows. The page of a
result prints the table below the chart. A module with `PROBE = "gil"` draws what that probe found; if it cannot read a
finding, the finding counts as malformed and there is nothing to draw. A module with `OF = "verdicts"` draws the verdicts of
checks, Sequence[Verdicts], instead of results, and one with `OF = "history"` draws the benchmarks of a history,
Sequence[Track]. Importing this package does not import matplotlib, because `gilbench --help` must stay instant.
"""

from __future__ import annotations

import functools
import importlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from gilbench.charts.table import Table, joined
from gilbench.errors import UserError
from gilbench.files import modules_in, names_in, write
from gilbench.results.records import MALFORMED_FINDING
from gilbench.results.summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gilbench.explain.tracks import Track
    from gilbench.results.verdicts import Verdicts

# Every chart is readable at 100 dots per inch; twice that keeps it sharp on dense screens.
PNG_DPI: Final = 200
RESULTS, VERDICTS, HISTORY = "results", "verdicts", "history"  # what a chart is drawn from
GROUPS: Final = ("speed", "costs", "reasons")  # the folders with charts


class NothingToDraw(UserError):
    """The results lack what a chart shows. The message says what is missing and which command to run."""


@dataclass(frozen=True)
class Chart:
    """One chart.

    name: of its module and its files. answers: the question that it answers, in one line.
    draw: summaries (or verdicts) -> Figure in the house style; raises NothingToDraw.
    tabulate: summary -> the same in figures; None if the chart has no table.
    """

    name: str
    answers: str
    draw: Callable[[Sequence[Any]], Figure]
    tabulate: Callable[[Summary], Table] | None = None

    def table(self, summaries: Sequence[Summary]) -> Table | None:
        """Return what the chart shows about these results as one table; None if it has no table or an empty one."""
        tabulate = self.tabulate
        return joined([(summary.name, tabulate(summary)) for summary in summaries]) if tabulate else None


@dataclass(frozen=True)
class Rendered:
    """What `render` did. files: those written, in order. left_out: chart name -> why it was not drawn."""

    files: tuple[Path, ...]
    left_out: Mapping[str, str]


def _groups() -> list[ModuleType]:
    return [importlib.import_module(f"{__name__}.{group}") for group in GROUPS]


def names() -> list[str]:
    """Return the charts' names in alphabetical order, without importing matplotlib."""
    return sorted(name for group in _groups() for name in names_in(group))


def all_charts(of: str = RESULTS) -> dict[str, Chart]:
    """Return name -> Chart for every chart of results (or of verdicts), in alphabetical order. Imports matplotlib."""
    from gilbench.charts.drawing.style import in_house_style

    charts = {}
    modules = [module for group in _groups() for module in modules_in(group)]
    for module in sorted(modules, key=lambda module: module.__name__.rpartition(".")[2]):
        if getattr(module, "OF", RESULTS) != of:
            continue
        name = module.__name__.rpartition(".")[2]
        answers = (module.draw.__doc__ or "").strip().splitlines()[0]
        draw = _reading(module.draw, module.PROBE) if hasattr(module, "PROBE") else module.draw
        charts[name] = Chart(name, answers, in_house_style(draw), getattr(module, "tabulate", None))
    return charts


def _reading(draw: Callable[[Sequence[Any]], Figure], probe: str) -> Callable[[Sequence[Any]], Figure]:
    """Return a `draw` that raises NothingToDraw if it cannot read what the probe found."""

    @functools.wraps(draw)
    def guarded(summaries: Sequence[Any]) -> Figure:
        try:
            return draw(summaries)
        except MALFORMED_FINDING as error:
            raise NothingToDraw(
                f"a finding of the {probe} probe is malformed: make the result again with `gilbench run --probe`"
            ) from error

    return guarded


def image(figure: Figure, format: str) -> bytes:
    """Return the figure as "svg" or "png". The same figure gives the same bytes, without a date or random ids."""
    from gilbench.charts.drawing.style import house_style

    # By default matplotlib writes its version and, for SVG, the date. A picture kept in git must not change by itself.
    metadata: dict[str, Any] = {"Date": None, "Creator": "gilbench"} if format == "svg" else {"Software": "gilbench"}
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=format, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()


def render(
    drawn: Sequence[Summary] | Sequence[Verdicts] | Sequence[Track],
    folder: Path,
    formats: Sequence[str] = ("svg", "png"),
    of: str = RESULTS,
) -> Rendered:
    """Draw every chart of summaries (or of verdicts) as `<chart>.<format>` in `folder`, which is created if needed.

    Each file is written atomically. Raises UserError if the folder cannot be written.
    """
    try:
        return _render(drawn, folder, formats, of)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}: name another folder with -o") from error


def _render(drawn: Sequence[Any], folder: Path, formats: Sequence[str], of: str) -> Rendered:
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    left_out: dict[str, str] = {}
    for chart in all_charts(of).values():
        paths = [folder / f"{chart.name}.{format}" for format in formats]
        try:
            figure = chart.draw(drawn)
        except NothingToDraw as reason:
            old = [path.name for path in paths if path.exists()]
            left_out[chart.name] = f"{reason} (kept from an earlier run: {', '.join(old)})" if old else str(reason)
            continue
        for path, format in zip(paths, formats, strict=True):
            write(path, image(figure, format))
            files.append(path)
    return Rendered(tuple(files), left_out)
