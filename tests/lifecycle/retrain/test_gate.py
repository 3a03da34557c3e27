"""The gate: both sides of each bound, on losses whose figures are known by hand."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import BundleSettings, EvaluationSettings, RetrainSettings, Settings
from quorate.lifecycle.retrain.gate import judge_losses, members_check
from quorate.lifecycle.retrain.paired_losses import PairedLosses, unseen_from

SETTINGS = replace(
    Settings(),
    bundle=BundleSettings(evidence=100),
    evaluation=EvaluationSettings(resamples=400),
    retrain=RetrainSettings(margin=0.01, ece=0.1),
)
DAYS, ROWS = 20, 480


def losses(difference=0.0, old=1.0, rows=ROWS, days=DAYS, new_scores=None, old_scores=None, y=None):
    """Losses of which the challenger's differ by a number, or by one for each row."""
    time = np.arange(rows) * (days * DAY_MS // rows)
    before = np.full(rows, old)
    return PairedLosses(time, before + difference, before, y, new_scores, old_scores)


def checks(found, settings=SETTINGS, label_ms=5 * HOUR_MS):
    judged = judge_losses(found, label_ms, settings)
    return {check.name: check for check in judged.checks}, judged.figures


@pytest.mark.parametrize(("difference", "passed"), [(-0.5, True), (0.0, True), (0.0099, True), (0.0101, False)])
def test_a_loss_that_differs_by_a_constant_is_held_against_the_margin(difference, passed):
    found, figures = checks(losses(difference))
    assert found["loss"].passed is passed
    # Every resample has the same mean.
    assert figures["lower"] == pytest.approx(difference)
    assert figures["upper"] == pytest.approx(difference)
    assert figures["margin"] == pytest.approx(0.01)


def test_the_margin_is_a_share_of_the_champions_loss():
    assert checks(losses(0.015, old=2.0))[0]["loss"].passed
    assert not checks(losses(0.015, old=1.0))[0]["loss"].passed


def test_a_better_loss_that_is_not_certain_does_not_pass():
    noise = np.repeat(np.random.default_rng(1).normal(scale=0.5, size=DAYS), ROWS // DAYS)
    found, figures = checks(losses(noise - noise.mean() - 0.01))
    assert figures["difference"] == pytest.approx(-0.01)
    assert figures["lower"] < -0.01 < 0.01 < figures["upper"]
    assert not found["loss"].passed
    # The same differences, not in days alike but in alternation: their mean is certain.
    alternating = np.tile([0.5, -0.5], ROWS // 2) - 0.01
    assert checks(losses(alternating))[0]["loss"].passed


def test_blocks_are_at_least_as_long_as_a_label():
    noise = np.repeat(np.random.default_rng(1).normal(scale=0.05, size=DAYS), ROWS // DAYS)
    by_day = checks(losses(noise))[1]
    by_label = checks(losses(noise), label_ms=4 * DAY_MS)[1]
    assert by_day["difference"] == by_label["difference"]
    assert judge_losses(losses(noise), 4 * DAY_MS, SETTINGS).blocks == DAYS // 4


def test_the_share_of_worse_challengers_that_pass_is_the_level():
    """Challengers that are worse by exactly the margin pass in 5 % of samples; those that are equal more often."""
    generator = np.random.default_rng(7)
    settings = replace(SETTINGS, evaluation=EvaluationSettings(resamples=200))
    passed = {0.01: 0, 0.0: 0}
    samples = 400
    for truth in passed:
        for _ in range(samples):
            daily = generator.normal(truth, 0.01, size=60)
            sample = losses(np.repeat(daily, 4), rows=240, days=60)
            passed[truth] += checks(sample, settings)[0]["loss"].passed
    # Of the true level 0.05, 400 samples give 0.023 to 0.085 in 99.9 %; a bootstrap of 60 days is a little liberal.
    assert passed[0.01] / samples < 0.09
    assert passed[0.0] / samples > 0.9


@pytest.mark.parametrize(
    ("rows", "days", "passed"), [(100, 20, True), (99, 20, False), (480, 5, True), (480, 4, False)]
)
def test_few_rows_or_blocks_do_not_pass(rows, days, passed):
    found, _ = checks(losses(-0.5, rows=rows, days=days))
    assert found["rows"].passed is passed


def test_no_row_at_all_passes_nothing():
    found, figures = checks(PairedLosses(np.empty(0, np.int64), np.empty(0), np.empty(0)))
    assert not found["rows"].passed
    assert not found["loss"].passed
    assert figures["loss"] is None


def scores(confidence, correct, rows=ROWS):
    """Classes and probabilities whose winner has one confidence, and is right in a share of the rows."""
    y = np.where(np.arange(rows) < round(correct * rows), 2, 0).astype(np.int8)
    return y, np.tile([(1 - confidence) / 2, (1 - confidence) / 2, confidence], (rows, 1))


@pytest.mark.parametrize(
    ("confidence", "champion", "passed"),
    [(0.55, 0.5, True), (0.599, 0.5, True), (0.61, 0.5, False), (0.61, 0.62, True), (0.61, 0.61, True)],
)
def test_a_calibration_error_above_its_bound_passes_only_where_the_champions_is_no_lower(confidence, champion, passed):
    y, own = scores(confidence, correct=0.5)
    _, other = scores(champion, correct=0.5)
    found, figures = checks(losses(y=y, new_scores=own, old_scores=other))
    assert figures["ece"] == pytest.approx(abs(confidence - 0.5))
    assert figures["champion_ece"] == pytest.approx(abs(champion - 0.5))
    assert found["calibration"].passed is passed


def test_a_stack_has_no_calibration_of_classes():
    assert "calibration" not in checks(losses())[0]


@pytest.mark.parametrize(
    ("total", "failed", "quorum", "passed"),
    [
        (4, 0, 3, True),
        (4, 1, 3, True),
        (4, 2, 3, False),
        (2, 0, 2, True),
        (2, 1, 2, False),
        (4, 3, 1, False),
        (1, 0, 1, True),
    ],
)
def test_as_many_members_as_have_to_agree(total, failed, quorum, passed):
    found = members_check(total, {f"m{number}": "broken" for number in range(failed)}, quorum)
    assert found.passed is passed
    assert ("broken" in found.found) is bool(failed)


class Trained:
    """The end of the used rows of a bundle."""

    timeframe, horizon = "1h", 5

    def __init__(self, used_until):
        self.used_until = used_until


def test_bars_are_unseen_from_an_embargo_after_the_later_of_both():
    early, late = Trained(1_000 * HOUR_MS), Trained(1_010 * HOUR_MS)
    # The embargo is the label's horizon; the bar that a label reads last is seen.
    assert unseen_from((early, late), SETTINGS) == unseen_from((late, early), SETTINGS) == 1_016 * HOUR_MS
    assert unseen_from((early,), SETTINGS) == 1_006 * HOUR_MS
    wide = replace(SETTINGS, split=replace(SETTINGS.split, embargo_bars=24))
    assert unseen_from((early,), wide) == 1_025 * HOUR_MS
