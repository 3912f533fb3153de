"""docs/plant_causes.py without a measurement: its arithmetic, its draw, its journal, and its table."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gilbench.explain import efficiencies

SCRIPT = Path(__file__).parents[2] / "docs" / "plant_causes.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location("plant_causes", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["plant_causes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("kind", "dial", "expected"),
    [
        ("nothing", 0, 1.0),
        ("gil", 1.0, 0.09 / (2 * 0.06)),
        ("imbalance", 3.0, 0.09 / (2 * 0.06)),
        ("chain", 1, 0.5),
        ("length", 10e-6, 0.55),
        ("length", 1e-3, 1.0),
        ("payload", 16, 0.1 / 0.09),
        ("allocation", 64, 0.4 / 0.1),
        ("cold-start", 2.0, (2.0 + 0.3 + 0.05) / 0.05),
    ],
)
def test_the_expected_factor_is_that_of_the_same_tasks_without_dask_or_arithmetic(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, kind: str, dial: float, expected: float
) -> None:
    def plainly(kind: str, dial: float, level: str = "leveled") -> dict[str, float]:
        return {"loop": 0.1 if level == "leveled" else 0.4, "one": 0.09, "all": 0.06}

    monkeypatch.setattr(script, "CPUS", 2)
    monkeypatch.setattr(script, "plainly", plainly)
    assert script.expected(kind, dial, script.Rates(100e-6, 0.3), 0.05) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["nothing", "gil", "lock", "imbalance", "streams", "payload", "allocation", "length"])
def test_what_runs_without_dask_are_the_planted_tasks(script: ModuleType, kind: str) -> None:
    import dask
    from dask.local import get_sync

    planted = script.planted
    dial = min(dial for dial in script.DIALS[kind] if dial or kind == "nothing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(planted.VARIABLE, f"{kind} {dial!r}")
        patch.setattr(planted, "BLOCKS", 1)
        computed = list(dask.compute(*planted.planted.build().collections, scheduler=get_sync))
        assert computed == [function(*arguments) for function, arguments in planted.calls(kind, dial)]


def test_the_draw_depends_on_the_seed_alone_and_meets_every_cause(script: ModuleType) -> None:
    assert script.drawn(100, 1) == script.drawn(100, 1) != script.drawn(100, 2)
    kinds = [kind for kind, _ in script.drawn(100, 1)]
    assert {kind: kinds.count(kind) for kind in script.DIALS if kinds.count(kind) < 8} == {}
    assert kinds.count("nothing") >= 16


def test_names_are_what_gilbench_says(script: ModuleType) -> None:
    assert set(script.NAMES) == set(script.DIALS) - {"nothing"}
    assert script.NAMES["gil"][0] in efficiencies.IN_WORDS


def test_the_table_counts_what_was_found_and_what_was_named_for_nothing(script: ModuleType) -> None:
    trials = [
        script.Trial(0, "chain", 1, "dependent", 0.52, 0.5),
        script.Trial(1, "chain", 1, "GIL", 0.9, 0.5),
        script.Trial(2, "nothing", 0, "", 0.99, 1.0),
        script.Trial(3, "nothing", 0, "uneven", 0.9, 1.0),
        script.Trial(4, "length", 1e-3, "", 1.0, 1.0),
    ]
    lines = script.table(trials).splitlines()
    assert "| chain | 2 | 1 of 2 | 1 of 2 | 1: 0.50, 0.71, 1 of 2 (else GIL) |" in lines
    assert "| nothing | 2 | nothing named in 1 of 2 | | nothing 0: uneven |" in lines
    assert "| too small to name | 1 | nothing named in 1 of 1 | |  |" in lines


def test_a_journal_continues_and_refuses_other_trials(script: ModuleType, tmp_path: Path) -> None:
    from dataclasses import asdict

    path, settings = tmp_path / "j.jsonl", {"trials": 2, "seed": 1, "cpus": 2}
    assert script.read(path, settings) == (None, [])
    rates, trial = script.Rates(1.0, 1.0), script.Trial(0, "chain", 1, "dependent", 0.5, 0.5)
    script.add(path, {"settings": settings, "rates": asdict(rates)})
    script.add(path, asdict(trial))
    assert script.read(path, settings) == (rates, [trial])
    with pytest.raises(SystemExit, match="other trials"):
        script.read(path, {**settings, "seed": 2})
