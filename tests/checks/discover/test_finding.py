"""Finding benchmarks in files without importing them, one kind at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gilbench.checks.discover import all_kinds, asv_suite, command_lines, plain_functions, pyperf_scripts, pytest_tests
from gilbench.errors import UserError


def test_every_kind_has_what_the_folder_promises() -> None:
    kinds = all_kinds()
    assert len(kinds) >= 5
    for kind in kinds.values():
        assert isinstance(kind.NAME, str) and isinstance(kind.LOOKS_FOR, str) and isinstance(kind.ORDERED, bool)
        assert callable(kind.find) and callable(kind.listed) and callable(kind.drive)


def test_tests_are_found_by_fixture_mark_or_a_fixture_of_conftest(tmp_path: Path) -> None:
    (tmp_path / "tests" / "wrapped").mkdir(parents=True)
    (tmp_path / "tests" / "test_a.py").write_text("def test_x(benchmark): ...\ndef test_y(): ...\n")
    (tmp_path / "tests" / "test_mark.py").write_text("@pytest.mark.benchmark\ndef test_z(): ...\n")
    (tmp_path / "tests" / "test_none.py").write_text("def test_n(): ...\n")
    (tmp_path / "tests" / "wrapped" / "conftest.py").write_text("@fixture\ndef timed(benchmark): ...\n")
    (tmp_path / "tests" / "wrapped" / "test_w.py").write_text("def test_w(timed): ...\n")
    (tmp_path / "tests" / "test_broken.py").write_text("def test_b(benchmark:\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "test_v.py").write_text("def test_x(benchmark): ...\n")
    found = {file.file: file.functions for file in pytest_tests.find(tmp_path)}
    assert found == {
        "tests/test_a.py": ("test_x",),
        "tests/test_mark.py": ("test_z",),
        "tests/wrapped/test_w.py": (),
        "tests/test_broken.py": (),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\naddopts = "-q --cov=x --import-mode=importlib -p mine -p no:xdist"\n',
        ),
        ("pytest.ini", "[pytest]\naddopts = -q --cov=x --import-mode=importlib -p mine -p xdist\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = -q -n auto --import-mode=importlib -p mine\n"),
    ],
)
def test_of_the_projects_options_only_those_are_kept_without_which_nothing_is_importable(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "test_a.py").write_text("def test_x(benchmark): ...\n")
    (file,) = pytest_tests.find(tmp_path)
    assert file.settings["options"] == ["--import-mode=importlib", "-p", "mine"]


def test_an_asv_suite_is_where_its_configuration_says(tmp_path: Path) -> None:
    (tmp_path / "asv.conf.json").write_text('{\n // where\n "benchmark_dir": "speed",\n}\n')
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed" / "a.py").write_text(
        "class S:\n    def time_x(self): ...\n    def peakmem_y(self): ...\ndef time_z(): ...\n"
    )
    (tmp_path / "speed" / "helper.py").write_text("def help(): ...\n")
    (file,) = asv_suite.find(tmp_path)
    assert (file.file, file.functions, file.settings) == ("speed/a.py", ("S.time_x", "time_z"), {"folder": "speed"})


def test_an_asv_configuration_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "asv.conf.json").write_text("{")
    with pytest.raises(UserError, match=r"asv.conf.json cannot be read"):
        asv_suite.find(tmp_path)


def test_pyperf_scripts_are_found_with_the_names_that_stand_in_them(tmp_path: Path) -> None:
    (tmp_path / "speed.py").write_text(
        "import pyperf\nr = pyperf.Runner()\nr.bench_func('a', f)\nr.bench_func(name, f)\n"
    )
    (tmp_path / "other.py").write_text("import pyperf\nprint(pyperf.perf_counter())\n")
    assert [(file.file, file.functions) for file in pyperf_scripts.find(tmp_path)] == [("speed.py", ("a",))]


def test_a_function_of_a_package_comes_from_each_arm_and_one_of_a_script_from_head(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    for name in ("pkg/core.py", "speed.py"):
        (tmp_path / name).write_text("def run(): ...\n")
    asked = SimpleNamespace(items=None)
    found = plain_functions.asked_for(tmp_path, [("pkg/core.py", "run"), ("speed.py", "run")], asked)
    assert [file.settings["arms_own"] for file in found] == [True, False]
    with pytest.raises(UserError, match="--items goes with a function"):
        plain_functions.asked_for(tmp_path, [], SimpleNamespace(items="[1]"))


@pytest.mark.parametrize(
    ("command", "words"),
    [("python -m x 'a b'", ["python", "-m", "x", "a b"]), ("a | b", ["sh", "-c", "a | b"])],
)
def test_a_command_is_split_into_words_or_given_to_a_shell(command: str, words: list[str]) -> None:
    assert command_lines.words_of(command) == words


@pytest.mark.parametrize("command", ["", "'"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(UserError, match="--command"):
        command_lines.words_of(command)
