"""Pages for the tests, each made once, and what a browser would read in them."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, Plan
from gilbench.errors import Failure
from gilbench.report import html_format
from gilbench.results.records import Probing
from gilbench.results.result_file import load
from gilbench.results.summary import FailedCase, Summary, summarize
from gilbench.stats import Estimate
from tests.charts import chart_data
from tests.scripted import HOSTILE, verdicts

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "two-cores.json"
# What breaks out of HTML, of attributes, of scripts, of comments, of templates, of SVG, of CSV and of a line.
EVIL = f'{HOSTILE}"><img src=x onerror=alert(1)><!-- {{{{ 7*7 }}}} \u2066\u200f\u05d0 --></style></title></svg>=1+1'


def evil() -> Summary:
    """A result with EVIL in every place where text may be."""
    sync = chart_data.case_summary(Case(EVIL, EVIL, "sync"), 0.1, family=EVIL, sync=0.1)
    threads = chart_data.case_summary(
        Case(EVIL, EVIL, "threads", 1, 2), 0.05, family=EVIL, sync=0.1, flags=(EVIL,), stop=EVIL, ran_on=EVIL
    )
    other = chart_data.case_summary(Case(f"={EVIL}", EVIL, EVIL, 2, 1), 0.2, family=f"@{EVIL}", sync=0.1)
    alone = chart_data.case_summary(Case(EVIL, EVIL, "threads", 1, 2, True, EVIL), 0.1, family=EVIL)
    hostile = chart_data.hostile()
    plan = Plan(
        replace(PROFILES["quick"], name=EVIL), (sync.case, threads.case, other.case), 1, 120.0,
        environment={"GILBENCH_DATA": f"/{EVIL}", "GILBENCH_PYTHON": EVIL},
    )  # fmt: skip
    timeline = chart_data.timelines(EVIL, schedulers=("sync", "threads"))
    broken = Probing(EVIL, EVIL, {"gil": {"threads": {"held": EVIL}}, EVIL: {EVIL: {EVIL: EVIL}}}, {EVIL: {EVIL: EVIL}})
    return replace(
        hostile,
        name=EVIL,
        machine={**dict.fromkeys(hostile.machine, EVIL), "memory_bytes": EVIL, "gil": EVIL, "usable_cpus": EVIL},
        cases=(sync, threads, other, alone, *hostile.cases),
        failures=tuple(
            FailedCase(replace(failed.case, workload=EVIL), Failure(failed.kind, EVIL)) for failed in hostile.failures
        ),
        warnings=(EVIL,),
        probes=(*hostile.probes, replace(timeline, size=EVIL), broken),
        plan=plan,
    )


def small(name: str = "small") -> Summary:
    """Two workloads on threads and on processes."""
    cases = []
    for workload, threads, processes in (("loop", 0.11, 0.05), ("sort", 0.05, 0.09)):
        for scheduler, seconds, shape in (
            ("sync", 0.1, (1, 1)),
            ("threads", threads, (1, 2)),
            ("processes", processes, (2, 1)),
        ):
            cases.append(
                chart_data.case_summary(
                    Case(workload, "default", scheduler, *shape), seconds, family=f"{workload}s", sync=0.1
                )
            )
    return Summary(name, dict(chart_data.MACHINE), tuple(cases), ())


def alone() -> Summary:
    """A case that a single process measured, without a baseline."""
    case = chart_data.case_summary(Case("w", "tiny", "threads", 1, 2), 0.1, n=1)
    assert case.estimate == Estimate(0.1, 0.0, float("inf"), 1)
    return Summary("alone", {}, (case,), ())


MAKERS = {
    "small": lambda: html_format.render([small()], []),
    "reference": lambda: html_format.render([summarize(load(REFERENCE))], []),
    "probed": lambda: html_format.render([chart_data.realistic(full=False)], []),
    "two": lambda: html_format.render(
        [
            chart_data.realistic(full=False, name="py3.11"),
            chart_data.realistic(
                full=False,
                name="py3.14t",
                seed=2,
                gil="disabled",
                python_build="free-threaded",
                python_version="3.14.0",
            ),
        ],
        [],
    ),
    "verdicts": lambda: html_format.render([], [verdicts()]),
    "everything": lambda: html_format.render([small(), small()], [verdicts(), verdicts("v", "speed-up")]),
    "hostile": lambda: html_format.render([evil(), evil()], [verdicts(EVIL)]),
    "empty": lambda: html_format.render([Summary("empty", {}, (), ())], []),
    "alone": lambda: html_format.render([alone()], []),
    "large": lambda: html_format.render([chart_data.realistic(cpus=32)], []),
}


@cache
def page(which: str) -> str:
    """The page of this name, made once."""
    return MAKERS[which]()


@dataclass
class Read(HTMLParser):
    """What a page holds. Void and SVG elements are closed as browsers do."""

    tags: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    style: str = ""
    script: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.inside = tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("style", "script"):
            setattr(self, self.inside, getattr(self, self.inside) + data)
        elif data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        """All that a reader sees."""
        return " ".join(" ".join(self.words).split())

    def values(self, name: str, tag: str = "") -> list[str]:
        """The values of an attribute, of all tags or of one."""
        return [value for of, found, value in self.attributes if found == name and tag in ("", of)]

    @property
    def downloads(self) -> dict[str, str]:
        """File name -> content of every CSV that is in the page."""
        found, name = {}, ""
        for tag, attribute, value in self.attributes:
            if (tag, attribute) == ("a", "download"):
                name = value.removesuffix(".csv")
            if (tag, attribute) == ("a", "href") and value.startswith("data:text/csv"):
                found[name] = base64.b64decode(value.partition("base64,")[2]).decode()
        return found


@cache
def read(which: str) -> Read:
    """The page of this name, read."""
    parser = Read()
    parser.feed(page(which))
    parser.close()
    return parser
