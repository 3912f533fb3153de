"""What a history says in words: a track in one line, and a sentence for each change."""

from __future__ import annotations

from collections.abc import Iterator

from gilbench import units
from gilbench.explain.tracks import Change, Track

SHORT = 9  # characters of a commit that are shown


def summary_of_track(track: Track) -> str:
    """Return how many revisions were checked, and how the newest compares with the first."""
    known = f"{units.count(len(track.revisions), 'revision')}, {units.count(len(track.points), 'check')}"
    if not track.changes:
        return f"no change in {known}"
    now = track.levels[-1]
    return f"{changed(now)} than at first; {units.count(len(track.changes), 'change')} in {known}"


def sentence_of_change(track: Track, change: Change) -> str:
    """Return what changed, by how much, the first revision that has it, and the last one checked that does not."""
    first, before = track.revisions[change.first], track.before(change)
    low, high = (100 * (end - 1) for end in (change.ratio.low, change.ratio.high))
    return (
        f"{changed(change.ratio.value)} ({low:+.1f} to {high:+.1f} %) since {first.commit[:SHORT]} of {first.time[:10]}; "
        f"the revision checked before it is {before.commit[:SHORT]}"
    )


def gaps(track: Track) -> Iterator[str]:
    """Yield a line for each revision from which on no check leads back to earlier ones."""
    for index in track.apart:
        commit = track.revisions[index].commit[:SHORT]
        yield f"no check leads from {commit} back to the revisions before it: check it against one of them"


def changed(ratio: float) -> str:
    """Return a ratio of times in words.

    >>> changed(1.102), changed(0.9)
    ('10.2 % slower', '10.0 % faster')
    """
    return f"{abs(ratio - 1):.1%} ".replace("%", " %") + ("slower" if ratio >= 1 else "faster")
