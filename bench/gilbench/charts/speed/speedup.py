"""Speed-up over sync: which workloads run faster on threads, on processes, or on neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.explain import selected
from gilbench.explain.grouping import grouped
from gilbench.explain.winners import EITHER, SAME, UNDECIDED, Contest, contests
from gilbench.results.summary import Summary
from gilbench.stats import Estimate

# Inches.
SERIES: Final = 0.066  # height of one series in a row
ROW: Final = 0.2  # least height of a row
HEAD: Final = 0.25  # height of a family's name
LEFT: Final = 2.0
PANEL: Final = 5.7

DASHES: Final = (0, (4, 3))
NAMES: Final = {"threads": "threads", "processes": "processes", "mix": "a mix", "serial": "sync"}


def draw(summaries: Sequence[Summary]) -> Figure:
    """How many times as fast as sync is each scheduler, for every workload?"""
    tables = [contests(summary) for summary in summaries]
    found = [contest for table in tables for contest in table]
    if not found:
        raise NothingToDraw("this result has no speed-up over sync: run `gilbench run`")
    heights = _heights(found)
    places, bottom = _places(found, heights)
    ideals = [min(_workers(table), selected.cpus(summary)) for table, summary in zip(tables, summaries, strict=True)]
    limits = scales.log_limits(_speedups(found), include=(1, *ideals), pad=1.3)
    figure = style.page(
        style.messages(summaries, lambda summary: message(contests(summary))),
        summaries,
        bottom + 0.6,
        notes=_notes(found),
        legend=_legend(found, ideals),
        width=max(style.WIDTH, LEFT + PANEL * 0.62 * len(summaries)),
    )
    panels = figure.subplots(1, len(summaries), sharey=True, squeeze=False)[0]
    for panel, table, summary, ideal in zip(panels, tables, summaries, ideals, strict=True):
        scales.ratio_axis(panel, "x", *limits)
        panel.axvline(1, color="black", linewidth=1.1, zorder=1)
        panel.axvline(ideal, color="black", linewidth=1.1, linestyle=DASHES, zorder=1)
        _panel(panel, {contest.label: contest for contest in table}, places, heights)
        panel.set_ylim(bottom, 0)
        panel.tick_params(axis="y", length=0)
        panel.set_xlabel("speed-up over sync (x, log scale)")
        if len(summaries) > 1:
            panel.set_title(style.plain(summary.name))
    _label_rows(panels[0], found, places)
    return figure


def message(found: Sequence[Contest]) -> str:
    """Return the title: which kind wins how often (see Contest.winner)."""
    if not found:
        return "no speed-up over sync measured"
    count = Counter(contest.winner for contest in found)
    measured = {kind for contest in found for kind in contest.kinds}
    # Readers ask about threads and processes, so these are named even if they win nothing; others only if they win.
    kinds = [kind for kind in NAMES if count[kind] or kind in measured & {"threads", "processes"}]
    kinds = kinds or sorted(measured - {"serial"})
    parts = [f"{NAMES[kind]} {count[kind]}" for kind in kinds]
    parts[0] = f"{style.sentence(NAMES[kinds[0]])} win {count[kinds[0]]} of {units.count(len(found), 'workload')}"
    same = f"; no difference in {count[SAME]}" if count[SAME] else ""
    either = f"; either suits {count[EITHER]}" if count[EITHER] else ""
    undecided = f"; {count[UNDECIDED]} undecided" if count[UNDECIDED] else ""
    return ", ".join(parts) + same + either + undecided


def _workers(found: Sequence[Contest]) -> int:
    return max((case.case.parallelism for contest in found for case in contest.fastest.values()), default=1)


def _speedups(found: Sequence[Contest]) -> list[Estimate]:
    return [case.speedup for contest in found for case in contest.fastest.values() if case.speedup is not None]


def _names(found: Sequence[Contest]) -> list[str]:
    return style.series_order(name for contest in found for name in (*contest.fastest, *contest.failed))


def _heights(found: Sequence[Contest]) -> dict[str, float]:
    """Return label -> inches: the height of a row is what its series need in the result that has the most of them."""
    heights: dict[str, float] = {}
    for contest in found:
        needed = max(ROW, SERIES * (len({*contest.fastest, *contest.failed}) + 1))
        heights[contest.label] = max(heights.get(contest.label, 0.0), needed)
    return heights


def _places(found: Sequence[Contest], heights: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Return label -> inches from the top to the middle of the row, and the total height. Families have a headline."""
    places: dict[str, float] = {}
    down = 0.0
    for group in grouped(found, lambda contest: contest.family).values():
        down += HEAD
        for label in dict.fromkeys(contest.label for contest in group):
            places[label] = down + heights[label] / 2
            down += heights[label]
    return places, down


def _panel(axes: Axes, shown: Mapping[str, Contest], places: Mapping[str, float], heights: Mapping[str, float]) -> None:
    """Draw one result: a band per workload with every series at its own height, and the winner on the right."""
    for index, (label, middle) in enumerate(places.items()):
        if index % 2 == 0:
            half = heights[label] / 2
            axes.axhspan(middle - half, middle + half, color=style.BAND, linewidth=0, zorder=0)
    offsets = {label: _offsets(contest) for label, contest in shown.items()}
    for name in _names(list(shown.values())):
        chosen = [(label, contest.fastest[name].speedup) for label, contest in shown.items() if name in contest.fastest]
        up = [places[label] + offsets[label][name] for label, _ in chosen]
        estimates = [speedup for _, speedup in chosen if speedup is not None]
        intervals.draw(axes, [e.value for e in estimates], up, estimates, style.style_of(name), label=style.plain(name))
        failed = [places[label] + offsets[label][name] for label, contest in shown.items() if name in contest.failed]
        across = axes.get_yaxis_transform()
        axes.plot([0.012] * len(failed), failed, "x", color=style.style_of(name).color, markersize=5, transform=across)
    for label, contest in shown.items():
        winner = contest.winner
        color = style.KIND_COLORS.get(winner, style.GRAY)
        weight = "bold" if winner in style.KIND_COLORS else "normal"
        text = axes.text(1.015, places[label], "sync" if winner == "serial" else winner, va="center", color=color)
        text.set(transform=axes.get_yaxis_transform(), weight=weight)
    axes.text(1.015, HEAD / 2, "fastest", transform=axes.get_yaxis_transform(), va="center", color=style.GRAY)


def _offsets(contest: Contest) -> dict[str, float]:
    """Return series -> inches from the middle of the row."""
    names = style.series_order([*contest.fastest, *contest.failed])
    return {name: (index - (len(names) - 1) / 2) * SERIES for index, name in enumerate(names)}


def _label_rows(axes: Axes, found: Sequence[Contest], places: Mapping[str, float]) -> None:
    """Write the names of the workloads, and above each family its name in bold."""
    heights = _heights(found)
    heads: dict[str, float] = {}
    for contest in found:
        heads.setdefault(contest.family, places[contest.label] - heights[contest.label] / 2 - HEAD / 2)
    labels = [*places, *(family.replace("_", " ") for family in heads)]
    axes.set_yticks([*places.values(), *heads.values()], [style.plain(label) for label in labels])
    for text in axes.get_yticklabels()[len(places) :]:
        text.set_fontweight("bold")


def _legend(found: Sequence[Contest], ideals: Sequence[float]) -> list[Line2D]:
    label = f"ideal = {ideals[0]:g}x" if len(set(ideals)) == 1 else "ideal: one per CPU"
    entries = [*style.legend_for(_names(found))]
    ideal = {"color": "black", "linewidth": 1.1}
    entries.append(Line2D([], [], linestyle="-", label="sync = 1x", **ideal))  # type: ignore[arg-type]
    entries.append(Line2D([], [], linestyle=DASHES, label=label, **ideal))  # type: ignore[arg-type]
    if any(contest.failed for contest in found):
        entries.append(Line2D([], [], color=style.GRAY, marker="x", linestyle="none", label="failed"))
    return entries


def _notes(found: Sequence[Contest]) -> list[str]:
    """Return how to read the chart."""
    mix = ", and with the squarest of several mixes" if "distributed mix" in _names(found) else ""
    return [
        f"{intervals.reading(_speedups(found))} Each scheduler is shown with its most workers{mix}. On the right: "
        "the kind that is faster than all others for certain; “no difference”: those that may be best are within 5 % of each "
        "other; “either”: that is not certain, but all of them beat sync."
    ]
