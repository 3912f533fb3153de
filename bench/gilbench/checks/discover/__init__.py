"""Kinds of benchmarks, one file each. The folder is the registry: a file adds a kind, and there is no second list to edit.

A kind has:

    NAME             what people call it
    LOOKS_FOR        where `find` looks, for the message that nothing was found
    ORDERED          whether the benchmarks of a file come in the order of the file, and not in random order
    find(tree, named)    -> list of Found: the files of a project that hold such benchmarks. Static: nothing is imported.
                         named: files that the user named, which may have any name
    listed(task)         -> Listing: every benchmark in these files. In a child process of an arm
    drive(task, turns)   opens the benchmarks of the task in their order, and takes turns on each. In a child process

A kind imports only the standard library at its top: an arm's environment need not have what gilbench needs.
"""

from __future__ import annotations

import sys
from typing import Any

from gilbench.files import modules_in


def all_kinds() -> dict[str, Any]:
    """Return module name -> module for every kind, in alphabetical order."""
    return {module.__name__.rpartition(".")[2]: module for module in modules_in(sys.modules[__name__])}
