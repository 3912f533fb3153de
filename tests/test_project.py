"""What surrounds the code parses and agrees: citation, changelog, commit hooks, issue forms, workflows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import gilbench

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FORMS = ["bug.yml", "feature.yml"]
WORKFLOWS = ["check.yml", "lock.yml", "release.yml", "test.yml"]


def parsed(path: str) -> Any:
    """Return a YAML file as strings: no version is a number and no `on` a boolean."""
    return yaml.load((ROOT / path).read_text(encoding="utf-8"), yaml.BaseLoader)


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile, as they run outside Windows."""
    (lines,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines.splitlines()]


def jobs(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = parsed(f".github/workflows/{workflow}")["jobs"]
    return found


def commands(job: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that a job runs in its shell."""
    for step in job.get("steps", ()):
        yield from step.get("run", "").splitlines()


# --- Citation, changelog, license


def test_the_citation_agrees_with_the_project() -> None:
    citation = parsed("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == gilbench.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["title"].startswith(PROJECT["name"])


def test_the_authors_cited_hold_the_copyright() -> None:
    (author,) = parsed("CITATION.cff")["authors"]
    (holder,) = re.findall(r"^Copyright \(c\) \d{4}, (.+)$", (ROOT / "LICENSE").read_text(), re.MULTILINE)
    assert author["name"].lower() == holder.lower()


def test_the_changelog_has_the_version_or_announces_it() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]\n" in changelog
    assert gilbench.__version__ in changelog


# --- Commit hooks


def test_commit_hooks_run_the_commands_of_make_lint() -> None:
    (repository,) = parsed(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local", "a hook from elsewhere has versions of its own, and is downloaded"
    assert [hook["entry"] for hook in repository["hooks"]] == recipe("lint")


def test_commit_hooks_check_the_whole_project_with_its_own_tools() -> None:
    (repository,) = parsed(".pre-commit-config.yaml")["repos"]
    for hook in repository["hooks"]:
        assert hook["entry"].startswith(".venv/bin/")
        assert (hook["language"], hook["pass_filenames"]) == ("system", "false")


# --- Issue forms


def test_every_issue_form_is_tested() -> None:
    assert sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").iterdir()) == [
        "bug.yml",
        "config.yml",
        *FORMS[1:],
    ]


@pytest.mark.parametrize("form", FORMS)
def test_an_issue_form_has_what_the_code_host_requires(form: str) -> None:
    content = parsed(f".github/ISSUE_TEMPLATE/{form}")
    assert content["name"]
    assert content["description"]
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    for field in fields:
        assert field["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert field["attributes"]["label"]


def test_the_bug_form_asks_for_machine_and_versions() -> None:
    (field,) = [field for field in parsed(".github/ISSUE_TEMPLATE/bug.yml")["body"] if field.get("id") == "version"]
    assert "gilbench --version --json" in field["attributes"]["label"]
    assert field["validations"]["required"] == "true"


# --- Workflows


def test_every_workflow_is_tested() -> None:
    assert sorted(path.name for path in (ROOT / ".github/workflows").iterdir()) == WORKFLOWS


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_states_its_permissions(workflow: str) -> None:
    """Without them a job gets what the repository's settings say, which may be everything."""
    content = parsed(f".github/workflows/{workflow}")
    assert "permissions" in content
    assert content["permissions"] != "write-all"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_checked_out_code_finds_no_credentials(workflow: str) -> None:
    for job in jobs(workflow).values():
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_workflows_call_targets_of_the_makefile(workflow: str) -> None:
    for job in jobs(workflow).values():
        for line in commands(job):
            if line.startswith("make "):
                assert re.search(rf"^{line.split()[1]}:", MAKEFILE, re.MULTILINE), line


def test_a_release_is_tested_and_tried_before_it_is_published() -> None:
    assert jobs("release.yml")["test"]["uses"] == "./.github/workflows/test.yml"
    assert "workflow_call" in parsed(".github/workflows/test.yml")["on"]
    assert jobs("release.yml")["publish"]["needs"] == ["test", "build"]


def test_a_release_builds_what_the_project_is_called() -> None:
    lines = "\n".join(commands(jobs("release.yml")["build"]))
    assert f"dist/{PROJECT['name']}-*.tar.gz" in lines
    assert f"dist/{PROJECT['name']}-*.whl" in lines
    for script in PROJECT["scripts"]:
        assert f'/fresh/bin/{script}" run' in lines


def test_only_the_publishing_job_may_prove_who_it_is() -> None:
    rights = {name: job["permissions"] for name, job in jobs("release.yml").items()}
    assert rights == {"test": {"contents": "read"}, "build": {"contents": "read"}, "publish": {"id-token": "write"}}
    assert not list(commands(jobs("release.yml")["publish"])), "code of ours has no business with that token"
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")


def test_what_is_released_is_built_with_the_backend_of_the_project() -> None:
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["build-backend"]
    builds = [line for line in commands(jobs("release.yml")["build"]) if " build " in line]
    assert len(builds) == 2
    assert all(f"-m {backend.partition('.')[0]} build" in line for line in builds)


def test_updates_come_by_themselves() -> None:
    ecosystems = [update["package-ecosystem"] for update in parsed(".github/dependabot.yml")["updates"]]
    assert ecosystems == ["github-actions"]
    assert "schedule" in parsed(".github/workflows/lock.yml")["on"]
    assert "make lock ARGS=--upgrade" in list(commands(jobs("lock.yml")["lock"]))
