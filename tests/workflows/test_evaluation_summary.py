"""Figures of evaluations and trainings without their tables, on stored documents."""

import json
from pathlib import Path

import pytest

from quorate.core.errors import EvaluationError
from quorate.workflows.bundles import show_bundle
from quorate.workflows.evaluation_summary import evaluation_figures, read_evaluation, training_figures

GOLDEN = Path(__file__).parents[1] / "golden"


def tables(value):
    """Lists of rows anywhere in a value."""
    if isinstance(value, dict):
        return [table for inner in value.values() for table in tables(inner)]
    return [value] if isinstance(value, list) and any(isinstance(inner, list | dict) for inner in value) else []


@pytest.mark.parametrize("name", ["vote", "walk", "stack", "series"])
def test_figures_of_an_evaluation_are_the_documents_own(name):
    whole = json.loads((GOLDEN / f"{name}.json").read_text())["evaluate"]["document"]
    found = evaluation_figures(whole)
    assert {"rows", "from", "to", "synthetic", "criteria", "members", "ensemble", "baselines", "trades"} <= set(found)
    assert found["criteria"] == whole["criteria"]
    assert found["trades"]["win_rate_ci"] == whole["trades"]["win_rate_ci"]
    assert found["members"] == whole["members"]
    assert tables({key: value for key, value in found.items() if key != "criteria"}) == []
    assert len(json.dumps(found)) < 30_000


def test_figures_of_a_training(world):
    details = show_bundle(world.bundle.parent, world.bundle.name)
    found, whole = training_figures(details), details.to_json()
    assert {name: found[name] for name in ("id", "training_span", "rows")} == {
        name: whole[name] for name in ("id", "training_span", "rows")
    }
    test = whole["metrics"]["lightgbm"]["test"]
    assert test.pop("reliability")  # bins, a table
    assert found["metrics"]["lightgbm"]["test"] == test
    assert "files" not in found
    assert tables(found["metrics"]) == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file"),
        (b"{", "line 1, column 2"),
        (b"\xff", "not UTF-8"),
        (b"[]", "a list"),
        (b'{"rows": 1e999}', "1e999, which is not finite"),
        (b'{"rows": 1}', "a document without members, ensemble, baselines, trades, criteria"),
    ],
)
def test_another_document_is_refused(content, found, tmp_path):
    path = tmp_path / "evaluation.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EvaluationError, match="read the evaluation") as caught:
        read_evaluation(path)
    assert found in str(caught.value)
    assert "quorate evaluate --json" in caught.value.expected
