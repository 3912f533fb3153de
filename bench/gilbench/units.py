"""Figures as people read them: three significant digits and a unit, counts, and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gilbench.stats import Estimate

TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))


def seconds(value: float) -> str:
    """Format seconds: `1.23 s`, `45.6 ms`.

    >>> seconds(0.04561), seconds(123.4)
    ('45.6 ms', '123 s')
    """
    return _scaled(value, TIMES)


def size(value: float) -> str:
    """Format bytes: `64.0 MiB`.

    >>> size(1024), size(64 << 20)
    ('1.00 KiB', '64.0 MiB')
    """
    return _scaled(value, SIZES)


def times(value: float) -> str:
    """Format a ratio: `1.93x`.

    >>> times(1.9312)
    '1.93x'
    """
    return f"{digits(value)}x" if math.isfinite(value) else "inf"


def estimate(figure: Estimate, unit: str) -> str:
    """Format an estimate with its interval. unit: "second", "byte" or "ratio"."""
    show = {"second": seconds, "byte": size, "ratio": times}[unit]
    return f"{show(figure.value)} ({interval(figure, unit)})"


def interval(figure: Estimate, unit: str) -> str:
    """Format the interval alone: `1.85x to 1.98x`, or `interval unknown` where there is only one process."""
    if figure.low <= 0 or not math.isfinite(figure.high):
        return "interval unknown"
    show = {"second": seconds, "byte": size, "ratio": times}[unit]
    return f"{show(figure.low)} to {show(figure.high)}"


def digits(value: float) -> str:
    """Format with three significant digits, or all digits before the decimal point, and never with an exponent.

    >>> digits(0.5), digits(12.345), digits(38123.0)
    ('0.500', '12.3', '38123')
    """
    if value == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def duration(value: float) -> str:
    """Format a waiting time, in seconds: `4 min 05 s`.

    >>> duration(245.3), duration(9.2)
    ('4 min 05 s', '9 s')
    """
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def count(number: int, noun: str) -> str:
    """Format a number with its noun.

    >>> count(1, "case"), count(1200, "case")
    ('1 case', '1,200 cases')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """Join parts as in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    for scale, name in units:
        if abs(value) >= scale:
            return f"{digits(value / scale)} {name}"
    scale, name = units[-1]
    return f"{digits(value / scale)} {name}"
