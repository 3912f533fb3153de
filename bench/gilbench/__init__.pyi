"""The public names, for editors and type checkers: the table _FACE of __init__.py."""

from gilbench.advice.choice import Advice as Advice
from gilbench.errors import UserError as UserError
from gilbench.library import advise as advise
from gilbench.library import check as check
from gilbench.library import load as load
from gilbench.library import probe as probe
from gilbench.library import run as run
from gilbench.results.records import Probing as Probing
from gilbench.results.summary import CaseSummary as CaseSummary
from gilbench.results.summary import Summary as Summary
from gilbench.results.verdicts import Verdicts as Verdicts
from gilbench.stats import Estimate as Estimate
from gilbench.targets.workload import Job as Job
from gilbench.targets.workload import Workload as Workload
from gilbench.targets.workload import workload as workload

__version__: str
__all__: list[str]
