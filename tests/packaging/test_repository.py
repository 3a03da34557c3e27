"""The files for contributors agree with each other and with pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERBS = set(re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split())
FORMS = [path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]


def read(*parts):
    return yaml.safe_load(ROOT.joinpath(*parts).read_text())


@pytest.fixture(scope="module")
def jobs():
    return read(".github", "workflows", "ci.yml")["jobs"]


def commands(job):
    return [line.strip() for step in job["steps"] for line in step.get("run", "").splitlines()]


def test_the_matrix_has_the_pythons_of_the_classifiers(jobs):
    named = {found[1] for one in PROJECT["classifiers"] if (found := re.search(r":: (3\.\d+)$", one))}
    assert set(jobs["unit"]["strategy"]["matrix"]["python"]) == named
    assert min(named, key=lambda version: int(version.split(".")[1])) == PROJECT["requires-python"].removeprefix(">=")


def test_every_command_of_the_workflow_is_a_verb(jobs):
    run = [line for job in jobs.values() for line in commands(job)]
    assert {line.removeprefix("make ") for line in run if line.startswith("make ")} <= VERBS
    assert {"make lint", "make fast", "make docs", ".ci/run coverage"} <= set(run)
    assert 'make "${1:-test}"' in (ROOT / ".ci" / "run").read_text()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_the_site_requires(path):
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= form.keys()
    asked = [one for one in form["body"] if one["type"] != "markdown"]
    assert {one["type"] for one in asked} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({one["id"] for one in asked}) == len(asked)
    assert len({one["attributes"]["label"] for one in asked}) == len(asked)
    for one in asked:
        if one["type"] in ("dropdown", "checkboxes"):
            assert one["attributes"]["options"]
    assert any(one.get("validations", {}).get("required") for one in asked)


def test_issues_and_advisories_go_where_the_project_is():
    (link,) = read(".github", "ISSUE_TEMPLATE", "config.yml")["contact_links"]
    assert link["url"].startswith(f"{PROJECT['urls']['Homepage']}/security/")
    assert f"<{link['url']}>" in (ROOT / "SECURITY.md").read_text()
    assert all(url.startswith(PROJECT["urls"]["Homepage"]) for url in PROJECT["urls"].values())


def test_the_hooks_run_the_projects_own_tools():
    (local,) = read(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    developing = {re.match(r"[\w-]+", line)[0] for line in PROJECT["optional-dependencies"]["dev"]}
    for hook in local["hooks"]:
        if hook["language"] == "python":
            assert all(re.fullmatch(r"[\w-]+==[\d.]+", one) for one in hook["additional_dependencies"])
        else:
            assert hook["entry"].split()[0].removeprefix(".venv/bin/") in developing
    entries = {" ".join(hook["entry"].split()[:2]) for hook in local["hooks"]}
    assert {".venv/bin/ruff check", ".venv/bin/ruff format", ".venv/bin/mypy"} <= entries


def test_every_page_is_in_the_navigation():
    listed = list(pages(read("mkdocs.yml")["nav"]))
    assert len(listed) == len(set(listed))
    assert set(listed) == {path.name for path in (ROOT / "docs").glob("*.md")}


def pages(part):
    """Files of a part of the navigation, which has sections."""
    if isinstance(part, str):
        yield part
    else:
        for inner in part.values() if isinstance(part, dict) else part:
            yield from pages(inner)


def test_every_setting_of_the_editor_is_for_files_that_exist():
    text = (ROOT / ".editorconfig").read_text()
    assert text.startswith("root = true\n")
    for section in re.findall(r"^\[(.*)\]$", text, re.MULTILINE):
        for pattern in section.strip("{}").split(","):
            assert any(ROOT.glob(pattern)) or any((ROOT / "src").rglob(pattern)), pattern


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_paths_that_a_page_names_exist(page):
    named = set(re.findall(r"`([\w./-]+(?:\.(?:py|toml|txt|md|css)|/))`", (ROOT / page).read_text()))
    # A folder may be named as it is seen from the folder that the sentence is about.
    tops = [ROOT, ROOT / "src" / "quorate", *(ROOT / "src" / "quorate").iterdir()]
    assert len(named) > 10
    assert {path for path in named if not any((top / path).exists() for top in tops)} == set()
