"""A search over a planted skill, which needs no fits, and studies of a small synthetic market."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.core.settings import EvaluationSettings, ExtraTreesSettings, Settings, TrainSettings, TuneSettings
from quorate.lifecycle.tune.score import SpanScore
from quorate.lifecycle.tune.search import TrialSearch
from quorate.lifecycle.tune.space import Range
from quorate.lifecycle.tune.spans import StudySpans
from quorate.lifecycle.tune.study_folder import StudyFolder
from quorate.lifecycle.tune.trial_state import ended

SPACE = {"x": Range(0.0, 1.0), "kind": ("plain", "better")}
FIRST = {"x": 0.0, "kind": "plain"}


class Planted:
    """Scores by a skill that is planted in the choices, a row a day, and lets time pass.

    Args:
        days: length of each of the two test spans.
        seconds: of a span, by `now`.
        fails_at: number of the call that is interrupted; 0 for none.
    """

    def __init__(self, days=18, seconds=10.0, fails_at=0):
        self.days, self.seconds, self.fails_at = days, seconds, fails_at
        self.now, self.calls = 0.0, []

    def clock(self):
        return self.now

    def __call__(self, key, given, report):
        choices, span = given
        self.calls.append((key, dict(choices)))
        if len(self.calls) == self.fails_at:
            raise KeyboardInterrupt
        self.now += self.seconds
        time = span[0] + np.arange(self.days) * DAY_MS
        noise = 0.001 * np.sin(7.0 * np.arange(self.days) * (1 + choices["x"]))
        loss = 1.0 - self.skill(choices) + noise
        return SpanScore(time, loss, np.ones(self.days), noise, self.seconds)

    def skill(self, choices):
        return 0.1 - 0.1 * (choices["x"] - 0.7) ** 2 + 0.02 * (choices["kind"] == "better")


@pytest.fixture
def make_search(tmp_path):
    """A function that opens a study in a folder and makes its search; `recorded` has what the search recorded."""

    def make(scorer, *, folder="study", prune=0.0, minutes=1e3, trials=None, days=18, record=None):
        study = StudyFolder(tmp_path / folder)
        study.path.mkdir(exist_ok=True)
        opened = study.open(prune)
        two = ((0, days * DAY_MS), (days * DAY_MS, 2 * days * DAY_MS))
        spans = StudySpans(0, two, (two[1][1], 3 * days * DAY_MS), 0)
        settings = replace(Settings(), tune=TuneSettings(prune=prune, startup=4))
        recorded = []
        search = TrialSearch(
            opened, scorer, spans, SPACE, FIRST, settings,
            record or (lambda choices, scores, end: recorded.append((dict(choices), len(scores), end))),
            minutes=minutes, trials=trials, progress=lambda *_: None, clock=scorer.clock,
        )  # fmt: skip
        search.recorded, search.study, search.ended = recorded, opened, lambda: ended(opened)
        return search

    return make


@pytest.fixture
def poor_settings(tmp_path):
    """Settings with trees of one split among columns drawn blindly, and few choices."""
    trees = ExtraTreesSettings(trees=5, depth=1, colsample_node=0.01, leaf_share=0.2)
    models = replace(Settings().models, extra_trees=trees)
    return replace(
        Settings(),
        models=models,
        train=TrainSettings(features="core14", threads=1),
        tune=TuneSettings(features=(), horizons=(4, 6), folds=2, startup=3, block_days=1),
        evaluation=EvaluationSettings(ledger=str(tmp_path / "trials.jsonl"), resamples=100),
    )
