"""Text for counting words: made by the task that counts it, so cheaply that counting dominates."""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

_STEMS: Final = (
    "arm",
    "band",
    "cart",
    "dawn",
    "edge",
    "fern",
    "gate",
    "hill",
    "iron",
    "jump",
    "kite",
    "lamp",
    "moon",
    "nest",
    "opal",
    "pine",
    "quay",
    "reed",
    "snow",
    "tide",
    "unit",
    "vale",
    "wave",
    "yard",
)
_ENDINGS: Final = ("", "s", "ed", "ing", "er", "less", "like", "ward")
_PAGE: Final = 400


def _words(seed: int) -> list[str]:
    draw = random.Random(seed)
    stems = draw.choices(_STEMS, k=_PAGE)
    endings = draw.choices(_ENDINGS, k=_PAGE)
    return [stem + ending for stem, ending in zip(stems, endings, strict=True)]


def text(seed: int, pages: int) -> str:
    """Return the same page of 400 words `pages` times, with capital letters and commas to be removed."""
    page = " ".join(f"{word.capitalize()}," if number % 7 == 0 else word for number, word in enumerate(_words(seed)))
    return f"{page} " * pages


def word_counts(seed: int, pages: int) -> dict[str, int]:
    """Return how often each lowercase word is in text(seed, pages), without building the text."""
    return {word: count * pages for word, count in Counter(_words(seed)).items()}
