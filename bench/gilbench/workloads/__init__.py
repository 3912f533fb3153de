"""The package that holds the built-in workloads, one family per file.

In a checkout the files are in the folder `workloads` at the top; an installation has them next to this file. In both cases
they are imported as gilbench.workloads.NAME, so every process that runs tasks finds them, and they hide no module of the
user's. gilbench.targets.modules imports them, as it imports the user's own files.
"""

from __future__ import annotations

import os
from pathlib import Path

from gilbench import variables

_checkout = Path(__file__).parents[3]
if os.environ.get(variables.WORKLOADS):
    __path__ = [str(Path(os.environ[variables.WORKLOADS]).absolute())]
elif _checkout / "bench" / "gilbench" == Path(__file__).parents[1]:
    __path__ = [str(_checkout / "workloads")]
