"""Which map is chosen, and that none is judged on rows that it has seen."""

import numpy as np
import pytest

from quorate.core.settings import CalibrationSettings
from quorate.ensemble.calibration import map_selection
from quorate.ensemble.calibration.map_selection import CANDIDATES, Fitted, choose_map
from quorate.ensemble.calibration.temperature import Temperature

SETTINGS = CalibrationSettings()


def drawn(seed, n=8_000, distort=lambda p: p):
    random = np.random.default_rng(seed)
    true = random.dirichlet([2, 3, 2], n)
    y = (random.random(n)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(np.int8)
    # Four markets at each time, and labels that reach five bars ahead.
    time = np.arange(n) // 4
    return distort(true), y, time, time + 5


def error(p, y):
    """Distance between what BUY is said to come and how often it comes, over ten bins."""
    place = np.minimum((p[:, 2] * 10).astype(int), 9)
    return sum(abs((p[:, 2] - (y == 2))[place == b].sum()) for b in range(10)) / len(y)


def powered(p):
    return p**3 / (p**3).sum(axis=1, keepdims=True)


def shifted(p):
    return Temperature(1.0, (1.0, 0.0, -1.0))(p)


@pytest.mark.parametrize(("distort", "kind"), [(powered, "temperature"), (shifted, "shifted temperature")])
def test_a_planted_miscalibration_is_named_and_repaired(distort, kind):
    scores, y, time, span_end = drawn(1, distort=distort)
    found = choose_map(scores, y, time, span_end, SETTINGS)
    assert found.kind == kind
    fresh, happened, *_ = drawn(2, distort=distort)
    assert error(fresh, happened) > 0.05
    assert error(found.map(fresh), happened) < 0.02


def test_a_staircase_needs_isotonic_maps():
    def stairs(p):
        steep = np.where(p > 0.4, 0.9 + p / 20, 0.05 + p / 20)
        return steep / steep.sum(axis=1, keepdims=True)

    scores, y, time, span_end = drawn(3, distort=stairs)
    assert choose_map(scores, y, time, span_end, SETTINGS).kind == "isotonic"


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_scores_that_are_probabilities_are_not_spoiled(seed):
    scores, y, time, span_end = drawn(seed)
    made = choose_map(scores, y, time, span_end, SETTINGS).map
    fresh, happened, *_ = drawn(seed + 50, n=40_000)
    rows = np.arange(len(happened))
    before, after = (-np.log(p[rows, happened]).mean() for p in (fresh, made(fresh)))
    assert after - before < 1e-3


def test_a_map_is_judged_only_on_later_rows_whose_labels_it_cannot_know(monkeypatch):
    """Every fit and every judgement is watched: the first score of each row is its own number."""
    scores, y, time, span_end = drawn(7, n=2_000)
    order = np.random.default_rng(0).permutation(len(y))
    scores, y, time, span_end = scores[order], y[order], time[order], span_end[order]
    number = {tuple(row): place for place, row in enumerate(scores)}
    seen = []

    def watched(fitted_on, _):
        rows = np.array([number[tuple(row)] for row in fitted_on])

        class Watched(Temperature):
            def __call__(self, judged):
                seen.append((rows, np.array([number[tuple(row)] for row in judged])))
                return judged

        return Watched(1.0)

    monkeypatch.setattr(map_selection, "CANDIDATES", {"unchanged": watched})
    found = choose_map(scores, y, time, span_end, CalibrationSettings(folds=5))
    assert len(seen) == 4
    for fitted_on, judged in seen:
        assert span_end[fitted_on].max() < time[judged].min()
        # All that could be used is used: the row left out last is the first whose label reaches over the seam.
        assert set(fitted_on) == set(np.flatnonzero(span_end < time[judged].min()))
    tested = np.concatenate([judged for _, judged in seen])
    assert len(tested) == len(set(tested)) == found.judged
    assert np.isnan(found.unseen[np.setdiff1d(np.arange(len(y)), tested)]).all()
    assert np.isfinite(found.unseen[tested]).all()


def test_too_few_rows_are_said_and_nothing_is_fitted():
    scores, y, time, span_end = drawn(8, n=2_000)
    assert choose_map(scores[:299], y[:299], time[:299], span_end[:299], SETTINGS) == (
        "299 rows with scores, of at least 300"
    )
    scores[5:] = np.nan
    assert "5 rows with scores" in choose_map(scores, y, time, span_end, SETTINGS)
    scores, y, time, span_end = drawn(8, n=2_000)
    assert "0 rows of SELL" in choose_map(scores, np.maximum(y, 1), time, span_end, SETTINGS)
    # Enough for one map, but no earlier stretch has enough to judge it by.
    short = choose_map(scores[:310], y[:310], time[:310], span_end[:310], SETTINGS)
    assert short == "310 rows are too few to choose a map by"


def test_rows_without_scores_are_left_out():
    scores, y, time, span_end = drawn(9)
    scores[::3] = np.nan
    found = choose_map(scores, y, time, span_end, SETTINGS)
    assert isinstance(found, Fitted)
    assert found.rows == np.isfinite(scores[:, 0]).sum()
    assert set(found.losses) == set(CANDIDATES)
    assert np.isnan(found.unseen[::3]).all()
