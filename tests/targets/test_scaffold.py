"""`gilbench new`: the module that it writes runs unchanged, and it never overwrites or hides another."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gilbench.errors import UserError
from gilbench.targets.scaffold import new

ROOT = Path(__file__).parents[2]


def code(text: str) -> list[str]:
    """The lines that are neither blank nor a comment."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_written_module_runs_as_it_is(tmp_path: Path) -> None:
    python = [sys.executable, "-m", "gilbench"]
    written = subprocess.run([*python, "new", "my_work"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert written.stdout == "my_work.py is written; measure it: gilbench run my_work.py --profile quick\n"
    options = ["--scheduler", "processes", "--size", "tiny", "--workers", "1", "--max-observations", "1", "--name", "r"]
    done = subprocess.run([*python, "run", "my_work.py", *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 observations of 2 cases" in done.stdout
    shown = subprocess.run(
        [*python, "show", "results/r.json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "my_work.py:compress" in shown.stdout


def test_it_teaches_on_one_screen_and_names_itself(tmp_path: Path) -> None:
    text = new("my_work", tmp_path).read_text()
    assert len(text.splitlines()) <= 40
    assert "gilbench run my_work.py\n" in text
    assert "NAME" not in text


def test_the_readme_shows_the_same_workload(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    text = new("my_work", tmp_path).read_text()
    assert code(re.sub(r"(?m)^ +#.*\n", "", text)) == code(example)


@pytest.mark.parametrize("name", ["a-b", "1st", "my_work.py", "class", "", "../up"])
def test_a_name_that_no_module_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"cannot name a module: use letters, digits and _"):
        new(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["json", "dask", "gilbench", "time", "__main__"])
def test_a_name_that_hides_another_module(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="would hide it: choose another name"):
        new(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    (tmp_path / "folder").mkdir()
    for name in ("mine", "folder"):
        with pytest.raises(UserError, match="already exists: choose another name"):
            new(name, tmp_path)
    assert (tmp_path / "mine.py").read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*my_work\.py: No such file or directory"):
        new("my_work", tmp_path / "none")
