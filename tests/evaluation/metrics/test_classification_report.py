"""Figures of one model beside their intervals."""

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.classification_report import score_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SETTINGS = EvaluationSettings(resamples=60)
BARS = 24 * 60


def test_a_model_without_a_side_has_its_errors_inside_their_intervals():
    # It votes HOLD on every bar, although P(HOLD) is not its largest score.
    random = np.random.default_rng(1)
    hold = random.uniform(0.2, 0.3, BARS)
    y = np.where(random.random(BARS) < hold, 1, random.choice([0, 2], BARS)).astype(np.int8)
    scores = np.stack([(1 - hold) / 2, hold, (1 - hold) / 2], axis=1)
    zeros = np.zeros(BARS, np.int64)
    time = HOUR_MS * np.arange(BARS)
    sample = LabelledPredictions(y, random.normal(size=BARS), time, zeros, ("A",), {}, zeros.astype(np.int8))
    found = score_figures(sample, scores, np.array([0.37, 0.26, 0.37]), TimeBlocks(time, SETTINGS))
    for name in ("ece", "accuracy", "log_loss", "brier"):
        low, high = found[f"{name}_ci"]
        assert low <= found[name] <= high, name
    assert found["ece"] < 0.05
    assert found["accuracy"] == np.mean(y == 1)
