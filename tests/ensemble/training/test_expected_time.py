"""The time that is left of a training, on a clock that the tests set."""

from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.progress import RunEstimate
from quorate.core.settings import Settings
from quorate.ensemble.training.expected_time import follow_training

MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")
ROWS, FOLDS = 150_000, 5
# Seconds per row and pass in the simulated run: none of them as expected, nor by one factor.
HERE = {"xgboost": 8e-5, "lightgbm": 1.2e-4, "nhits": 1e-4, "patchtst": 1.2e-4}


class Shown:
    def __init__(self):
        self.said = []

    def __call__(self, stage, done, total):
        pass

    def remaining(self, seconds):
        self.said.append(seconds)

    def slowed(self, reason):
        raise AssertionError(reason)


def training(recipe="vote", slow=()):
    """Data of a training as far as its time is estimated from them."""
    return SimpleNamespace(
        settings=Settings(),
        classes=recipe == "vote",
        makers={name: lambda name=name: SimpleNamespace(slow_fit=name in slow) for name in MODELS},
        split=SimpleNamespace(train=np.arange(ROWS)),
        before_choice=np.arange(int(1.15 * ROWS)),
        dataset=np.arange(int(1.4 * ROWS)),
    )


class Run:
    """A training on a clock: what it was told, and what was true."""

    def __init__(self, data, *, failing=(), resumed=()):
        self.at, self.shown, self.points = 0.0, Shown(), []
        self.report = follow_training(RunEstimate(self.shown, lambda: self.at, lambda: None), data)
        if data.classes:
            for name in MODELS:
                if data.makers[name]().slow_fit:
                    continue
                for fold in range(1, FOLDS):
                    if name in failing and fold == 2:
                        break
                    self.at += HERE[name] * fold / FOLDS * len(data.before_choice)
                    self.tell(f"{name} out of fold", fold, FOLDS - 1)
        for number, name in enumerate(MODELS, 1):
            for step in range(1, 101) if name not in resumed else ():
                self.at += HERE[name] * ROWS / 100
                self.tell(f"{name} ({number}/{len(MODELS)})", step, 100)
        self.fits_end = self.at
        if data.classes:
            self.at += 1e-4 * len(data.dataset)

    def tell(self, stage, done, total):
        self.report(stage, done, total)
        self.points.append((self.at, self.shown.said[-1]))

    def ratios(self, first=0.1):
        """Told over true, from a share of the run on and until the last 3 % of it."""
        return [told / (self.at - at) for at, told in self.points if first * self.at <= at <= 0.97 * self.at]


@pytest.mark.parametrize("recipe", ["vote", "stack"])
def test_it_is_right_within_a_factor_of_one_and_a_half_after_the_first_tenth(recipe):
    ratios = Run(training(recipe)).ratios()
    assert len(ratios) > 100
    assert min(ratios) > 1 / 1.5
    assert max(ratios) < 1.5


def test_members_that_are_not_fitted_again_are_not_waited_for():
    run = Run(training(slow=("patchtst",)))
    assert min(run.ratios(0.25)) > 1 / 1.5
    assert max(run.ratios(0.25)) < 1.5


def test_a_member_that_fails_or_was_finished_before_is_not_waited_for():
    for run in (Run(training(), failing=("lightgbm",)), Run(training(), resumed=("nhits",))):
        late = run.ratios(0.8)
        assert late
        assert min(late) > 1 / 1.5
        assert max(late) < 1.5


def test_two_trainings_with_one_callback_are_told_apart():
    shown = Shown()
    at = 0.0
    estimate = RunEstimate(shown, lambda: at, lambda: None)
    for _ in range(2):
        report = follow_training(estimate, training("stack"))
        for name in MODELS:
            for step in (1, 2):
                at += 10.0
                report(f"{name} (1/4)", step, 2)
        assert shown.said[-1] == 0.0
