"""The workloads that come with gilbench, one family a file: each is loaded the way a user's own file is.

In a checkout they lie in the folder `workloads` at the top; an installation has them here, beside this file. Either way
they are imported as gilbench.workloads.NAME, by every process that runs tasks, and hide no module of the user's.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "GILBENCH_WORKLOADS"  # names another folder of families: `gilbench check` gives each arm its own

_checkout = Path(__file__).parents[3]
if os.environ.get(FOLDER):
    __path__ = [os.environ[FOLDER]]
elif (_checkout / "bench" / "gilbench").is_dir():
    __path__ = [str(_checkout / "workloads")]
