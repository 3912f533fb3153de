"""Which of head's files are put into base's tree, and that nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilbench.checks.suite.overlay import belonging_to, lay_over


@pytest.mark.parametrize(
    ("file", "belongs"),
    [
        ("tests/test_a.py", ["tests", "conftest.py"]),
        ("tests/speed/test_a.py", ["tests", "conftest.py"]),
        ("pkg/tests/test_a.py", ["pkg/tests", "pkg/conftest.py", "conftest.py"]),
        ("pkg/bench_a.py", ["pkg/bench_a.py", "pkg/conftest.py", "conftest.py"]),
        ("bench_a.py", ["bench_a.py", "conftest.py"]),
    ],
)
def test_folders_of_benchmarks_belong_as_a_whole_and_folders_of_the_package_do_not(
    file: str, belongs: list[str]
) -> None:
    assert [str(path) for path in belonging_to([file])] == belongs


def test_a_folder_that_a_configuration_names_belongs_too() -> None:
    found = [str(path) for path in belonging_to(["speed/time_a.py"], ["speed"])]
    assert found == ["speed", "conftest.py"]


def test_head_replaces_what_base_has_and_the_package_stays(tmp_path: Path) -> None:
    head, base = tmp_path / "head", tmp_path / "base"
    for tree, word in ((head, "head"), (base, "base")):
        for file in (f"tests/only_{word}.py", "tests/test_a.py", "pkg/__init__.py", "pyproject.toml"):
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_text(word)
    (base / "conftest.py").write_text("base")
    lay_over(head, base, belonging_to(["tests/test_a.py"]))
    files = {path.relative_to(base).as_posix(): path.read_text() for path in base.rglob("*") if path.is_file()}
    assert files == {
        "tests/only_head.py": "head",
        "tests/test_a.py": "head",
        "pkg/__init__.py": "base",
        "pyproject.toml": "head",
    }
