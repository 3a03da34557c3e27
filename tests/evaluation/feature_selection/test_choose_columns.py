"""On rows whose labels are known to read some of the columns: those are kept, and noise is not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError, FeatureError
from quorate.core.progress import silent
from quorate.core.settings import (
    AutoFeatureSettings,
    EvaluationSettings,
    LightGBMSettings,
    ModelSettings,
    Settings,
)
from quorate.ensemble.column_choice import CandidateRows, ColumnChoice
from quorate.evaluation.feature_selection import choose_columns
from quorate.models import Model
from quorate.models.registry import build

BARS, MARKETS = 800, 2
COLUMNS = ("weak", "noise_1", "strong", "twin", "noise_2", "noise_3")
TREES = LightGBMSettings(trees=15, depth=3, leaf_share=0.01, l2_share=0.0, random_splits=False, colsample=1.0)
SETTINGS = Settings(
    models=ModelSettings(lightgbm=TREES),
    auto_features=AutoFeatureSettings(folds=3, repeats=1, fewest=2, tolerance=0.002),
    evaluation=EvaluationSettings(resamples=200),
)


def planted(seed: int = 0, of: float = 1.0, required: tuple[str, ...] = ()) -> CandidateRows:
    """Labels read `strong`, which `twin` repeats but for a little noise, and less of `weak`."""
    rng = np.random.default_rng(seed)
    n = BARS * MARKETS
    weak, strong = rng.normal(size=(2, n))
    lean = of * (1.6 * strong + 0.8 * weak) + rng.normal(size=n)
    X = rng.normal(size=(n, len(COLUMNS)))
    X[:, 0], X[:, 2], X[:, 3] = weak, strong, strong + 0.05 * rng.normal(size=n)
    time = np.tile(np.arange(BARS) * HOUR_MS, MARKETS)
    return CandidateRows(
        columns=COLUMNS,
        X=X.astype(np.float32),
        y=np.where(lean > 0.8, 2, np.where(lean < -0.8, 0, 1)).astype(np.int8),
        time=time,
        span_end=time + 5 * HOUR_MS,
        symbol=np.repeat(np.arange(MARKETS), BARS),
        embargo_ms=5 * HOUR_MS,
        required=frozenset(required),
    )


def choose(rows: CandidateRows, settings: Settings = SETTINGS) -> ColumnChoice:
    make = partial(build, "lightgbm", "class", settings.models, seed=7, threads=1)
    return choose_columns(rows, silent, make=lambda columns: make(features=columns), settings=settings)


@pytest.fixture(scope="module")
def chosen() -> ColumnChoice:
    return choose(planted())


def group(choice: ColumnChoice, column: str) -> dict[str, Any]:
    return next(each for each in choice.figures["groups"] if column in each["columns"])


def test_what_the_labels_read_is_kept_and_noise_is_not(chosen: ColumnChoice) -> None:
    assert chosen.columns == ("weak", "strong", "twin")
    assert [each["why"] for each in chosen.figures["groups"]] == ["earned"] * 2 + ["removed"] * 3
    assert chosen.figures["kept"]["columns"] == 3
    assert chosen.figures["kept"]["loss"] < chosen.figures["prior"]


def test_twins_are_one_group_that_is_missed(chosen: ColumnChoice) -> None:
    """Each alone would be worth next to nothing, since the other one remains."""
    twins = group(chosen, "strong")
    assert twins["columns"] == ["strong", "twin"]
    assert twins["dropped"]["rise_ci"][0] > 0.1
    assert twins["dropped"]["folds_above"] == 3
    assert twins["dropped"]["ranks"] == [1] * 3
    assert twins["shuffled"]["rise_ci"][0] > 0.1
    apart = replace(SETTINGS, auto_features=replace(SETTINGS.auto_features, correlation=1.0))
    alone = choose(planted(), apart)
    assert group(alone, "strong")["columns"] == ["strong"]
    assert abs(group(alone, "twin")["dropped"]["rise"]) < 0.02


def test_the_same_rows_give_the_same_choice(chosen: ColumnChoice) -> None:
    assert choose(planted()) == chosen


def test_figures_are_those_of_fits_by_hand(chosen: ColumnChoice) -> None:
    """The loss without the twins: fitted on the rows before each quarter of the span, but for the embargo."""
    rows, losses = planted(), []
    for quarter in (1, 2, 3):
        begin = quarter * BARS // 4 * HOUR_MS
        fit = rows.span_end + rows.embargo_ms < begin
        tested = (rows.time >= begin) & (rows.time < begin + BARS // 4 * HOUR_MS)
        for places in ((0, 1, 4, 5), tuple(range(6))):
            model = build("lightgbm", "class", SETTINGS.models, seed=7, threads=1)
            scores = model.fit(rows.X[fit][:, places], rows.y[fit]).predict_proba(rows.X[tested][:, places])
            losses.append(-np.log(scores[np.arange(len(scores)), rows.y[tested]]).mean())
    without, whole = np.array(losses).reshape(3, 2).T
    assert group(chosen, "strong")["dropped"]["by_fold"] == pytest.approx(without - whole)
    assert chosen.figures["all"]["loss"] == pytest.approx(whole.mean())


def test_where_nothing_is_known_columns_go_at_no_cost() -> None:
    choice = choose(planted(of=0.0))
    assert 2 <= len(choice.columns) < len(COLUMNS)
    assert choice.figures["kept"]["rise"] <= choice.figures["tolerance"]


def test_a_column_that_a_member_looks_up_is_kept() -> None:
    choice = choose(planted(required=("noise_2",)))
    assert choice.columns == ("weak", "strong", "twin", "noise_2")
    assert group(choice, "noise_2")["why"] == "read"


def test_of_many_rows_bars_are_left_out_evenly() -> None:
    choice = choose(planted(), replace(SETTINGS, auto_features=replace(SETTINGS.auto_features, rows=800)))
    assert choice.figures["every_bars"] == 2
    assert choice.figures["rows"] == 800


def test_a_column_whose_removal_would_cost_too_much_is_needed() -> None:
    """Its own interval is too wide to earn a place, but so is that of the list without it."""
    blocks = replace(SETTINGS.evaluation, block_hours=24 * 4, confidence=0.9999)
    choice = choose(planted(of=0.25), replace(SETTINGS, evaluation=blocks))
    assert group(choice, "weak")["dropped"]["rise"] > 0 > group(choice, "weak")["dropped"]["rise_ci"][0]
    assert group(choice, "weak")["why"] == "needed"


def test_too_few_rows_and_models_of_windows_are_refused() -> None:
    rows = planted()
    short = np.arange(6)
    few = replace(
        rows,
        X=rows.X[short],
        y=rows.y[short],
        time=rows.time[short],
        span_end=rows.span_end[short],
        symbol=rows.symbol[short],
    )
    with pytest.raises(EvaluationError, match="Choose a longer span"):
        choose(few)
    with pytest.raises(FeatureError, match="lightgbm, which reads 120 bars; expected a model of single bars"):
        choose_columns(rows, silent, make=lambda _: cast("Model", SimpleNamespace(window=120)), settings=SETTINGS)
