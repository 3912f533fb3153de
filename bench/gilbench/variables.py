"""The environment variables that gilbench reads. Child processes inherit them, so all processes of a run agree."""

from __future__ import annotations

from typing import Final

CACHE: Final = "GILBENCH_CACHE"
"""Folder for generated files and virtual environments; without it, `.cache/gilbench` in the current folder."""
DATA: Final = "GILBENCH_DATA"
"""Glob of the user's own CSV files, which the CSV workloads then read at every size (`--data`)."""
ITEMS: Final = "GILBENCH_ITEMS"
"""What the user's function is called with, as the user wrote it: a file, or a Python expression (`--items`)."""
TAKE: Final = "GILBENCH_TAKE"
"""Number of items to use, spread evenly over all of them; without it, all (set by gilbench for a short sample)."""
PARTS: Final = "GILBENCH_PARTS"
"""Number of tasks that the items are divided into; without it, one task per item (set by gilbench)."""
WORKLOADS: Final = "GILBENCH_WORKLOADS"
"""Folder of the built-in workloads; `gilbench check` sets it, so that each arm runs its own."""
PYTHON: Final = "GILBENCH_PYTHON"
"""In a plan only: the tag of the interpreter that `--python` chose, such as 3.13t, without any path."""
WITH: Final = "GILBENCH_WITH"
"""In a plan only: the requirements that `--with` added to that interpreter's environment, as a shell would read them."""
