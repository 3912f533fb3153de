"""Speed-up over sync: which workloads run faster on threads, on processes, or on neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import axes as axis
from gilbench.charts.drawing import style as style
from gilbench.explain import series as data
from gilbench.explain.series import Row
from gilbench.results.summary import Estimate, Summary

# Inches.
SERIES: Final = 0.066  # height of one series in a row
ROW: Final = 0.2  # least height of a row
HEAD: Final = 0.25  # height of a family's name
LEFT: Final = 2.0
PANEL: Final = 5.7

DASHES: Final = (0, (4, 3))
WINNERS: Final = {"threads": "threads", "processes": "processes", "mix": "a mix", "serial": "sync"}


def draw(summaries: Sequence[Summary]) -> Figure:
    """Which scheduler is how many times faster than sync, for every workload?"""
    tables = [data.rows(summary) for summary in summaries]
    found = [row for table in tables for row in table]
    if not found:
        raise NothingToDraw("this result has no speed-up over sync: run `gilbench run`")
    heights = _heights(found)
    places, bottom = _places(found, heights)
    ideals = [min(_workers(table), data.cpus(summary)) for table, summary in zip(tables, summaries, strict=True)]
    limits = axis.log_limits(_speedups(found), include=(1, *ideals), pad=1.3)
    figure = style.page(
        style.messages(summaries, lambda summary: message(data.rows(summary))),
        summaries,
        bottom + 0.6,
        notes=_notes(found),
        legend=_legend(found, ideals),
        width=max(style.WIDTH, LEFT + PANEL * 0.62 * len(summaries)),
    )
    panels = figure.subplots(1, len(summaries), sharey=True, squeeze=False)[0]
    for panel, table, summary, ideal in zip(panels, tables, summaries, ideals, strict=True):
        axis.ratio_axis(panel, "x", *limits)
        panel.axvline(1, color="black", linewidth=1.1, zorder=1)
        panel.axvline(ideal, color="black", linewidth=1.1, linestyle=DASHES, zorder=1)
        _panel(panel, {row.label: row for row in table}, places, heights)
        panel.set_ylim(bottom, 0)
        panel.tick_params(axis="y", length=0)
        panel.set_xlabel("speed-up over sync (x, log scale)")
        if len(summaries) > 1:
            panel.set_title(style.plain(summary.name))
    _label_rows(panels[0], found, places)
    return figure


def message(rows: Sequence[Row]) -> str:
    """Return who wins how often: see Row.verdict."""
    if not rows:
        return "no speed-up over sync measured"
    words = Counter(row.verdict for row in rows)
    measured = {kind for row in rows for kind in row.contest}
    # Threads and processes are what is asked for, even where they win nothing; others count when they do.
    kinds = [kind for kind in WINNERS if words[kind] or kind in measured & {"threads", "processes"}]
    kinds = kinds or sorted(measured - {"serial"})
    parts = [f"{WINNERS[kind]} {words[kind]}" for kind in kinds]
    parts[0] = f"{style.sentence(WINNERS[kinds[0]])} win {words[kinds[0]]} of {style.count(len(rows), 'workload')}"
    either = f"; either suits {words['either']}" if words["either"] else ""
    unclear = f"; {words['unclear']} {'is' if words['unclear'] == 1 else 'are'} unclear" if words["unclear"] else ""
    return ", ".join(parts) + either + unclear


def _workers(rows: Sequence[Row]) -> int:
    return max((case.case.parallelism for row in rows for case in row.fastest.values()), default=1)


def _speedups(rows: Sequence[Row]) -> list[Estimate]:
    return [case.speedup for row in rows for case in row.fastest.values() if case.speedup is not None]


def _names(rows: Sequence[Row]) -> list[str]:
    return style.series_order(name for row in rows for name in (*row.fastest, *row.failed))


def _heights(rows: Sequence[Row]) -> dict[str, float]:
    """Return label -> inches: a row is as high as its series need, in the result where it has most."""
    heights: dict[str, float] = {}
    for row in rows:
        needed = max(ROW, SERIES * (len({*row.fastest, *row.failed}) + 1))
        heights[row.label] = max(heights.get(row.label, 0.0), needed)
    return heights


def _places(rows: Sequence[Row], heights: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Return label -> inches from the top to the row's middle, and the whole height. Families have a headline."""
    places: dict[str, float] = {}
    down = 0.0
    for group in data.grouped(rows, lambda row: row.family).values():
        down += HEAD
        for label in dict.fromkeys(row.label for row in group):
            places[label] = down + heights[label] / 2
            down += heights[label]
    return places, down


def _panel(axes: Axes, rows: Mapping[str, Row], places: Mapping[str, float], heights: Mapping[str, float]) -> None:
    """Draw one result: a band per workload, in it every series at its own height, and the verdict on the right."""
    for index, (label, middle) in enumerate(places.items()):
        if index % 2 == 0:
            half = heights[label] / 2
            axes.axhspan(middle - half, middle + half, color=style.BAND, linewidth=0, zorder=0)
    heights_of = {label: _offsets(row) for label, row in rows.items()}
    for name in _names(list(rows.values())):
        chosen = [(label, row.fastest[name].speedup) for label, row in rows.items() if name in row.fastest]
        up = [places[label] + heights_of[label][name] for label, _ in chosen]
        estimates = [speedup for _, speedup in chosen if speedup is not None]
        axis.marks(axes, [e.value for e in estimates], up, estimates, style.style_of(name), label=style.plain(name))
        failed = [places[label] + heights_of[label][name] for label, row in rows.items() if name in row.failed]
        across = axes.get_yaxis_transform()
        axes.plot([0.012] * len(failed), failed, "x", color=style.style_of(name).colour, markersize=5, transform=across)
    for label, row in rows.items():
        word = row.verdict
        colour = style.KIND_COLOURS.get(word, style.GREY)
        weight = "bold" if word in style.KIND_COLOURS else "normal"
        text = axes.text(1.015, places[label], "sync" if word == "serial" else word, va="center", color=colour)
        text.set(transform=axes.get_yaxis_transform(), weight=weight)
    axes.text(1.015, HEAD / 2, "fastest", transform=axes.get_yaxis_transform(), va="center", color=style.GREY)


def _offsets(row: Row) -> dict[str, float]:
    """Return series -> inches from the row's middle."""
    names = style.series_order([*row.fastest, *row.failed])
    return {name: (index - (len(names) - 1) / 2) * SERIES for index, name in enumerate(names)}


def _label_rows(axes: Axes, rows: Sequence[Row], places: Mapping[str, float]) -> None:
    """Write the workloads' names, and over each family its own in bold."""
    heights = _heights(rows)
    heads: dict[str, float] = {}
    for row in rows:
        heads.setdefault(row.family, places[row.label] - heights[row.label] / 2 - HEAD / 2)
    labels = [*places, *(family.replace("_", " ") for family in heads)]
    axes.set_yticks([*places.values(), *heads.values()], [style.plain(label) for label in labels])
    for text in axes.get_yticklabels()[len(places) :]:
        text.set_fontweight("bold")


def _legend(rows: Sequence[Row], ideals: Sequence[float]) -> list[Line2D]:
    label = f"ideal = {ideals[0]:g}x" if len(set(ideals)) == 1 else "ideal: one per CPU"
    entries = [*style.legend_for(_names(rows))]
    ideal = {"color": "black", "linewidth": 1.1}
    entries.append(Line2D([], [], linestyle="-", label="sync = 1x", **ideal))  # type: ignore[arg-type]
    entries.append(Line2D([], [], linestyle=DASHES, label=label, **ideal))  # type: ignore[arg-type]
    if any(row.failed for row in rows):
        entries.append(Line2D([], [], color=style.GREY, marker="x", linestyle="none", label="failed"))
    return entries


def _notes(rows: Sequence[Row]) -> list[str]:
    """Say how to read the chart."""
    mix = ", of several mixes the squarest" if "distributed mix" in _names(rows) else ""
    return [
        f"{axis.reading(_speedups(rows))} Each scheduler at its most workers{mix}. On the right: "
        "the kind with an interval above all other kinds'; “either”: none, but all that may be best beat sync."
    ]
