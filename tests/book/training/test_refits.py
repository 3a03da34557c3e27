"""Members learn from labels that were known, and a planted effect is found where it is and not where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from tests.book.conftest import SMALL

from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.cross_section.sleeve import TrendCrossSection
from quorate.book.training.learning_rows import LearningRows
from quorate.book.training.refits import forecast_by_month
from quorate.core.clock import parse_ms
from quorate.core.errors import BookError
from quorate.core.sections.book import BookSettings
from quorate.models.registry import build

FAST = replace(SMALL, members=("logistic",), quorum=1)


@pytest.fixture(scope="module")
def parts(market_of):
    market = market_of(10, 260, holes=False)
    panel = market.panel()
    outcomes = PositionOutcomes.of(panel, market.funding)
    return market, panel, outcomes, TrendCrossSection(FAST)


def test_no_label_is_learned_before_it_is_known(parts):
    _, panel, outcomes, sleeve = parts
    learning = LearningRows.of(sleeve, panel, outcomes)
    for day in (100, 200):
        X, y = learning.known_by(day)
        rows = (learning.rows.day < day - sleeve.label_days) & np.isfinite(learning.y)
        assert len(y) == rows.sum() > 0
        # The label of the newest row ends with the fill of the day before.
        assert learning.rows.day[rows].max() + sleeve.label_days == day - 1
        np.testing.assert_array_equal(X, learning.rows.X[rows])


def test_forecasts_of_a_month_do_not_change_with_later_candles(parts):
    market, panel, outcomes, sleeve = parts
    start = parse_ms("2021-07-15")
    whole = forecast_by_month(sleeve, panel, outcomes, start, FAST.models, workers=1)
    days = ("2021-07-15", "2021-08-01", "2021-09-01")
    assert panel.time[list(whole.days[:-1])].tolist() == [parse_ms(day) for day in days]
    cut = market.until(parse_ms("2021-08-20"))
    known = cut.panel()
    part = forecast_by_month(sleeve, known, PositionOutcomes.of(known, cut.funding), start, FAST.models, workers=1)
    for name, values in part.forecasts.items():
        np.testing.assert_array_equal(values, whole.forecasts[name][: len(values)])
        assert np.isfinite(values[panel.row(start) :]).any()
        assert np.isnan(values[: panel.row(start)]).all()


def test_processes_give_the_same_forecasts(parts):
    _, panel, outcomes, sleeve = parts
    start = parse_ms("2021-08-01")
    one = forecast_by_month(sleeve, panel, outcomes, start, FAST.models, workers=1)
    two = forecast_by_month(sleeve, panel, outcomes, start, FAST.models, workers=2)
    np.testing.assert_array_equal(one.forecasts["logistic"], two.forecasts["logistic"])


@pytest.mark.parametrize("planted", [True, False])
def test_a_planted_effect_is_found_and_a_control_is_not(parts, planted):
    _, panel, outcomes, sleeve = parts
    learning = LearningRows.of(sleeve, panel, outcomes)
    column = sleeve.columns.index("return_7d")
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, len(learning.y)) + (2.0 * learning.rows.X[:, column] if planted else 0.0)
    count = len(learning.known_by(220)[0])
    model = build("logistic", "return", FAST.models, seed=0, threads=1).fit(learning.rows.X[:count], y[:count])
    later = slice(count + 70, None)
    found = np.corrcoef(model.predict(np.ascontiguousarray(learning.rows.X[later])), y[later])[0, 1]
    assert found > 0.2 if planted else abs(found) < 0.15


def test_too_few_rows_and_days_are_refused(parts):
    _, panel, outcomes, sleeve = parts
    with pytest.raises(BookError, match="rows with a known label; expected 1,000 or more"):
        forecast_by_month(sleeve, panel, outcomes, int(panel.time[60]), FAST.models, workers=1)
    with pytest.raises(BookError, match="expected days from 2030-01-01"):
        forecast_by_month(sleeve, panel, outcomes, parse_ms("2030-01-01"), FAST.models, workers=1)


def test_default_members_are_the_documented_ones():
    assert BookSettings().members == ("lightgbm", "xgboost", "extra_trees", "logistic")
    assert BookSettings().quorum == 3
