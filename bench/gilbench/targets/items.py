"""What --items names: the values that the user's function is called with."""

from __future__ import annotations

import itertools
import json
import os
import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gilbench.errors import UserError

MOST_ITEMS: Final = 1_000_000
"""More than this is an endless iterator, or a graph that no scheduler can hold."""
SHOWN: Final = 60  # characters of an item in a message


def items_of(text: str, names: Mapping[str, Any]) -> list[Any]:
    """Return the items that a text names: a file (.json, or one item per line), or a Python expression.

    The expression is the user's own, like code on a command line. It can use glob, Path and `names`, which are those of the
    user's module. Raises UserError, in one line, for a text that gives no items, or more than a million.
    """
    try:
        if os.path.isfile(text):  # noqa: PTH113 - Path.is_file raises for an expression that is too long for a name
            content = Path(text).read_text(encoding="utf-8-sig")
            found = json.loads(content) if text.endswith(".json") else filter(str.strip, content.splitlines())
        else:
            from glob import glob

            found = eval(text, {"glob": glob, "Path": Path, **names})  # noqa: S307
        values = list(itertools.islice(found, MOST_ITEMS + 1))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, NameError | SyntaxError):
            why = f"no such file, and as Python {why}"
        elif isinstance(error, TypeError):
            why += "; write a list, such as '[1, 2, 3]'"
        raise UserError(f"--items {shortened(text)} gives no items: {why}") from error
    if not values or len(values) > MOST_ITEMS:
        raise UserError(f"--items {shortened(text)} gives {f'over {MOST_ITEMS:,}' if values else 'no'} items")
    return values


def shortened(value: Any) -> str:
    """Return the repr of a value, cut to what a message can hold, and without addresses, which differ by process."""
    shorter = reprlib.Repr()
    shorter.maxstring = shorter.maxother = SHOWN
    return re.sub(r" at 0x[0-9a-fA-F]+", "", shorter.repr(value))
