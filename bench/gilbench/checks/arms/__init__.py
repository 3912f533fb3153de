"""Arms: which software is measured. A spec names a source tree or a release, an interpreter and packages; an arm is ready to run.

spec (what the user writes) -> repository (sources) -> project (metadata, layout) -> building (environments)
        -> asking (what is installed, where a package comes from) -> preparing (both arms, ready or refused)

own_workloads asks an arm for gilbench's own workloads. inside is the script that answers in the arm's interpreter.
"""

from gilbench.checks.arms.arm import Arm
from gilbench.checks.arms.own_workloads import Known, ask
from gilbench.checks.arms.preparing import prepared
from gilbench.checks.arms.spec import Spec, parse

__all__ = ["Arm", "Known", "Spec", "ask", "parse", "prepared"]
