"""`gilbench new ci`: workflows that parse, run commands that exist, need no secret, and overwrite nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from gilbench.commands.group import gilbench
from gilbench.errors import UserError
from gilbench.report import Page, formats
from gilbench.targets.scaffold import new_ci
from tests.scripted import verdicts

CHECK, COMMENT = "gilbench.yml", "gilbench-comment.yml"
FOLDER = "gilbench-check"


@pytest.fixture
def workflows(tmp_path: Path) -> dict[str, Any]:
    """Name -> content, all as text: yaml would read `on` as true."""
    return {path.name: yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) for path in new_ci(tmp_path)}


def steps(workflow: Any) -> list[dict[str, Any]]:
    (job,) = workflow["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def commands(workflow: Any) -> Iterator[str]:
    for step in steps(workflow):
        yield from step.get("run", "").splitlines()


def uses(workflow: Any, action: str) -> dict[str, Any]:
    (step,) = (step for step in steps(workflow) if step.get("uses", "").startswith(f"actions/{action}@"))
    return step


def test_the_command_writes_both_where_the_code_host_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(gilbench, ["new", "ci"])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / ".github/workflows").iterdir()} == {CHECK, COMMENT}
    assert ".github/workflows/gilbench.yml is written" in done.output.replace("\\", "/")


def test_every_gilbench_command_parses_and_compares_with_the_base(workflows: dict[str, Any]) -> None:
    found = [shlex.split(line)[1:] for line in commands(workflows[CHECK]) if line.startswith("gilbench ")]
    assert [arguments[0] for arguments in found] == ["check"]
    given = gilbench.commands["check"].make_context("check", found[0][1:]).params
    assert given["base"] == "HEAD^1", "the first parent of the merge that is checked out"
    assert (given["markdown"], given["json"]) == (Path(FOLDER, "check.md"), Path(FOLDER, "check.json"))


def test_the_base_is_fetched_and_no_credentials_stay(workflows: dict[str, Any]) -> None:
    given = uses(workflows[CHECK], "checkout")["with"]
    assert (given["fetch-depth"], given["persist-credentials"]) == ("0", "false")


def test_gilbench_is_installed_and_what_it_makes_is_cached(workflows: dict[str, Any]) -> None:
    assert any(line.startswith("python -m pip install gilbench") for line in commands(workflows[CHECK]))
    assert uses(workflows[CHECK], "setup-python")["with"]["cache"] == "pip"
    (job,) = workflows[CHECK]["jobs"].values()
    assert job["env"]["GILBENCH_CACHE"] == uses(workflows[CHECK], "cache")["with"]["path"] == "~/.cache/gilbench"


def test_the_job_of_a_pull_request_can_write_nothing_and_knows_no_secret(workflows: dict[str, Any]) -> None:
    assert set(workflows[CHECK]["on"]) == {"pull_request"}, "pull_request_target would run a fork's code with rights"
    assert workflows[CHECK]["permissions"] == {"contents": "read"}
    for workflow in workflows.values():
        assert "secrets." not in repr(workflow)


def test_the_table_travels_to_a_workflow_of_its_own_that_runs_none_of_the_forks_code(workflows: dict[str, Any]) -> None:
    comment = workflows[COMMENT]
    assert comment["on"] == {"workflow_run": {"workflows": [workflows[CHECK]["name"]], "types": ["completed"]}}
    (job,) = comment["jobs"].values()
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert comment["permissions"] == {}
    assert not any("checkout" in step.get("uses", "") for step in steps(comment))
    sent, received = uses(workflows[CHECK], "upload-artifact"), uses(comment, "download-artifact")
    assert sent["if"] == "always()"
    assert sent["with"]["name"] == received["with"]["name"]
    assert sent["with"]["path"].rstrip("/") == received["with"]["path"] == FOLDER


def test_a_comment_that_may_not_be_posted_fails_nothing(workflows: dict[str, Any]) -> None:
    assert all(step["continue-on-error"] == "true" for step in steps(workflows[COMMENT]))


def test_what_comes_from_the_pull_request_is_never_part_of_a_script(workflows: dict[str, Any]) -> None:
    for workflow in workflows.values():
        assert not [line for line in commands(workflow) if "${{" in line]
    script = "\n".join(commands(workflows[COMMENT]))
    assert "grep -xE '[0-9]+'" in script and "headRefOid" in script
    (longest,) = re.findall(r"head -c (\d+) gilbench-check/check\.md", script)
    assert int(longest) < 65_536, "the longest comment that the code host takes"


def test_only_a_comment_of_its_own_is_updated(workflows: dict[str, Any]) -> None:
    (start,) = re.findall(r'startswith\("([^"]+)"\)', "\n".join(commands(workflows[COMMENT])))
    assert formats("verdicts")["markdown"](verdicts(), Page()).startswith(start)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows" / CHECK).write_text("precious")
    with pytest.raises(UserError, match=r"gilbench\.yml already exists"):
        new_ci(tmp_path)
    assert [path.read_text() for path in (tmp_path / ".github/workflows").iterdir()] == ["precious"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        new_ci(tmp_path)
