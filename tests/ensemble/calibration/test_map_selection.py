"""Selection of maps: the kind chosen, and that maps are compared only out of fold."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import CalibrationSettings
from quorate.ensemble.calibration import map_selection
from quorate.ensemble.calibration.map_selection import CANDIDATES, FittedMap, choose_map
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature, fit_temperature

SETTINGS = CalibrationSettings()


def drawn(seed, n=8_000, distort=lambda p: p):
    random = np.random.default_rng(seed)
    true = random.dirichlet([2, 3, 2], n)
    y = (random.random(n)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(np.int8)
    # Four markets at each hour, and labels that reach five bars ahead.
    time = np.arange(n) // 4 * HOUR_MS
    return distort(true), y, time, time + 5 * HOUR_MS


def error(p, y):
    """Calibration error of BUY over ten bins."""
    place = np.minimum((p[:, 2] * 10).astype(int), 9)
    return sum(abs((p[:, 2] - (y == 2))[place == b].sum()) for b in range(10)) / len(y)


def powered(p):
    return p**3 / (p**3).sum(axis=1, keepdims=True)


def shifted(p):
    return Temperature(1.0, (1.0, 0.0, -1.0))(p)


@pytest.mark.parametrize(("distort", "kind"), [(powered, "temperature"), (shifted, "shifted temperature")])
def test_a_known_miscalibration_is_identified_and_corrected(distort, kind):
    scores, y, time, span_end = drawn(1, distort=distort)
    found = choose_map(scores, y, time, span_end, SETTINGS)
    assert found.kind == kind
    fresh, true_class, *_ = drawn(2, distort=distort)
    assert error(fresh, true_class) > 0.05
    assert error(found.map(fresh), true_class) < 0.02


def test_a_step_function_needs_isotonic_maps():
    def stairs(p):
        steep = np.where(p > 0.4, 0.9 + p / 20, 0.05 + p / 20)
        return steep / steep.sum(axis=1, keepdims=True)

    scores, y, time, span_end = drawn(3, distort=stairs)
    assert choose_map(scores, y, time, span_end, SETTINGS).kind == "isotonic"


def test_calibrated_scores_stay_as_they_are():
    """The map of least loss is nearly always one of the three: 5 % may be chosen by chance."""
    kinds = [choose_map(*drawn(seed, n=1_600), SETTINGS).kind for seed in range(40)]
    assert kinds.count("unchanged") >= 35
    found = choose_map(*drawn(4), SETTINGS)
    assert (found.kind, found.weight, found.map) == ("unchanged", 0.0, UNCHANGED)
    np.testing.assert_array_equal(
        found.out_of_fold[2_000:], UNCHANGED(drawn(4)[0][2_000:])
    )  # of the first fold there are none


def test_a_map_that_is_worse_in_one_later_stretch_is_not_used():
    """The scores are too bold in four fifths of the time and too timid in the last."""
    p, y, time, span_end = drawn(10)
    bold = choose_map(powered(p), y, time, span_end, SETTINGS)
    assert bold.kind == "temperature"
    late = np.arange(len(p)) >= 6_400
    flat = p ** (1 / 3) / (p ** (1 / 3)).sum(axis=1, keepdims=True)
    found = choose_map(np.where(late[:, None], flat, powered(p)), y, time, span_end, SETTINGS)
    assert found.losses["temperature"] < found.losses["unchanged"]
    assert found.kind == "unchanged"


def test_days_are_the_observations():
    """The same rows on few days are no evidence, and weak evidence has a small weight."""
    scores, y, time, span_end = drawn(1, distort=powered)
    few = choose_map(scores, y, time // 10, span_end // 10, SETTINGS)
    assert few.days == 7
    assert few.kind == "unchanged"
    whole = choose_map(scores, y, time, span_end, SETTINGS)
    # Of 84 days, the first 20.8 are those of the fold that is not compared.
    assert whole.days == 64
    assert whole.weight > 0.9
    # Scores to the power 0.8: weaker evidence, and a map that is as much nearer to the unchanged scores.
    mild = Temperature(0.8 / 3)(scores)
    found = choose_map(mild, y, time, span_end, SETTINGS)
    assert 0.2 < found.weight < 0.95 * whole.weight
    assert found.map.inverse - 1 == pytest.approx(found.weight * (fit_temperature(mild, y).inverse - 1))


def test_maps_are_compared_on_rows_later_than_all_labels_of_their_fit(monkeypatch):
    """All fits and evaluations are recorded; rows are identified by their scores."""
    scores, y, time, span_end = drawn(7, n=2_000)
    order = np.random.default_rng(0).permutation(len(y))
    scores, y, time, span_end = scores[order], y[order], time[order], span_end[order]
    number = {tuple(row): place for place, row in enumerate(scores)}
    evaluations = []

    def recording(fit_rows, _):
        rows = np.array([number[tuple(row)] for row in fit_rows])

        class Recording(Temperature):
            def shrunk(self, weight):
                return self

            def __call__(self, held_out):
                evaluations.append((rows, np.array([number[tuple(row)] for row in held_out])))
                return held_out

        return Recording(1.0)

    monkeypatch.setattr(map_selection, "CANDIDATES", {"recording": recording})
    found = choose_map(scores, y, time, span_end, CalibrationSettings(folds=5))
    assert len(evaluations) == 4
    for fit_rows, held_out in evaluations:
        assert span_end[fit_rows].max() < time[held_out].min()
        # No row is left out without need: only those whose labels reach into the fold.
        assert set(fit_rows) == set(np.flatnonzero(span_end < time[held_out].min()))
    tested = np.concatenate([held_out for _, held_out in evaluations])
    assert len(tested) == len(set(tested)) == found.compared
    assert np.isnan(found.out_of_fold[np.setdiff1d(np.arange(len(y)), tested)]).all()
    assert np.isfinite(found.out_of_fold[tested]).all()


def test_too_few_rows_give_a_reason():
    scores, y, time, span_end = drawn(8, n=2_000)
    assert choose_map(scores[:299], y[:299], time[:299], span_end[:299], SETTINGS) == (
        "299 rows with scores, of at least 300"
    )
    scores[5:] = np.nan
    assert "5 rows with scores" in choose_map(scores, y, time, span_end, SETTINGS)
    scores, y, time, span_end = drawn(8, n=2_000)
    assert "0 rows of SELL" in choose_map(scores, np.maximum(y, 1), time, span_end, SETTINGS)
    # Enough rows for one map, but not for a comparison out of fold.
    short = choose_map(scores[:310], y[:310], time[:310], span_end[:310], SETTINGS)
    assert short == "310 rows are too few to choose a map by"


def test_rows_without_scores_are_left_out():
    scores, y, time, span_end = drawn(9)
    scores[::3] = np.nan
    found = choose_map(scores, y, time, span_end, SETTINGS)
    assert isinstance(found, FittedMap)
    assert found.rows == np.isfinite(scores[:, 0]).sum()
    assert set(found.losses) == {"unchanged", *CANDIDATES}
    assert np.isnan(found.out_of_fold[::3]).all()
