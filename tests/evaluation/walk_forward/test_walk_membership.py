"""Who votes on the days of a walk-forward: by the labels of earlier days, and what the figures say of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import PolicySettings, SelectSettings, Settings, TrainSettings, VoteSettings
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.report.charts.score_charts import membership_strips
from quorate.evaluation.report.selection_table import selection_table
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.selection_figures import selection_figures
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.models import FitRequest, Model

START, BARS, HORIZON, REGIME = parse_ms("2025-03-01"), 60 * 24, 5, 10 * 24
NAMES = ("sell", "hold", "buy")
RULE = SelectSettings(size=1, days=3, margin=0.001, tenure_days=2)
SETTINGS = replace(
    Settings(),
    train=TrainSettings(head="classes"),
    policy=PolicySettings(name="classic", refit="none"),
    select=RULE,
)


class Stubborn(Model):
    """A member that expects the same class on every bar."""

    name: ClassVar[str] = "stubborn"
    suffix: ClassVar[str] = ".none"
    side: int = 0
    fitted: int | None = None

    @property
    def columns(self) -> int | None:
        return self.fitted

    def _fit(self, request: FitRequest) -> None:
        self.fitted = request.X.shape[1]

    def _infer(self, X: Any) -> Any:
        return np.tile(np.where(np.arange(3) == self.side, 0.6, 0.2), (len(X), 1))

    def save(self, path: Any) -> None:
        raise NotImplementedError

    def load(self, path: Any) -> Any:
        raise NotImplementedError

    def to_onnx(self) -> bytes:
        raise NotImplementedError


def rows(y: np.ndarray) -> LabelledBars:
    """Two markets whose labels are the same."""
    hours = np.tile(np.arange(BARS), 2)
    time = START + hours * HOUR_MS
    known = hours < BARS - HORIZON
    return LabelledBars(
        X=np.stack([hours, np.zeros(2 * BARS)], axis=1).astype(np.float32),
        columns=("hour", "nothing"),
        features="made",
        contexts={},
        y=np.tile(y, 2).astype(np.int8),
        known=known,
        usable=np.ones(2 * BARS, bool),
        time=time,
        span_end=time + HORIZON * HOUR_MS,
        forward_return=np.where(known, 0.001, np.nan),
        volatility=np.full(2 * BARS, 0.01),
        spans={"A": slice(0, BARS), "B": slice(BARS, 2 * BARS)},
        timeframe="1h",
    )


def walked(y: np.ndarray, settings: Settings = SETTINGS) -> WalkResult:
    def build(name: str) -> Model:
        model = Stubborn("class", settings.models, seed=0)
        model.side = NAMES.index(name)
        return model

    return walk(rows(y), NAMES, settings, WalkOptions(folds=3, build=build, workers=1))


@pytest.fixture(scope="module")
def regimes() -> np.ndarray:
    """Ten days of each class in turn."""
    return np.arange(BARS) // REGIME % 3


@pytest.fixture(scope="module")
def done(regimes: np.ndarray) -> WalkResult:
    return walked(regimes)


def test_members_follow_the_market_after_their_labels_have_matured(done: WalkResult) -> None:
    # The tested bars begin on day 15, in the regime of HOLD that began on day 10; its labels are known five bars after.
    # Two of the three days of a window have to be of the new class: on day 20 SELL, 2 comes, then 0 on day 30.
    found = [((term.start - START) / DAY_MS, term.members[0]) for term in done.membership.terms]
    assert [name for _, name in found] == ["hold", "buy", "sell", "hold", "buy"]
    begins = [day for day, _ in found][1:]
    assert begins == [22, 32, 42, 52]


def test_later_labels_change_nothing_earlier(done: WalkResult, regimes: np.ndarray) -> None:
    seam = 37 * 24
    poisoned = np.where(np.arange(BARS) + HORIZON >= seam, (regimes + 1) % 3, regimes)
    other = walked(poisoned)
    moment = START + seam * HOUR_MS
    assert [term for term in other.membership.terms if term.start <= moment] == [
        term for term in done.membership.terms if term.start <= moment
    ]
    assert other.membership != done.membership
    for symbol, frame in done.frames(VoteSettings()).items():
        own, changed = (each.between(end=moment - HOUR_MS) for each in (frame, other.frames(VoteSettings())[symbol]))
        for name in ("action", "confidence", "consensus", "rule"):
            assert np.array_equal(getattr(own, name), getattr(changed, name))


def test_only_those_that_vote_count_and_all_are_scored(done: WalkResult) -> None:
    for frame in done.frames(VoteSettings(quorum=0.75, floor=0.1)).values():
        voted = np.stack([np.isfinite(frame.scores[name][:, 0]) for name in NAMES], axis=1)
        beside = np.stack([np.isfinite(frame.unselected[name][:, 0]) for name in NAMES], axis=1)
        assert (voted.sum(axis=1) == 1).all()
        assert np.array_equal(voted, ~beside)
        # One of one agrees: a quorum of three would hold on every bar.
        assert set(frame.rule) == {"vote"}
        assert np.array_equal(frame.action, voted.argmax(axis=1))


def test_the_mean_of_labelled_rows_is_of_those_that_vote(done: WalkResult) -> None:
    y = done.rows.y[:10]
    tables = {name: done.scores[name][-10:] for name in NAMES}
    voting, _ = done.membership.split(tables, done.rows.time[-10:] + HOUR_MS)
    plain = np.zeros(10)
    sample = LabelledPredictions(y, plain, plain.astype(np.int64), plain.astype(np.int64), ("A",), tables, y, voting)
    assert sample.ensemble(VoteSettings()) == pytest.approx(tables["buy"])


def test_figures_and_report_say_who_voted(done: WalkResult) -> None:
    found = selection_figures(done, SETTINGS)
    assert found is not None
    assert sum(found["days"].values()) == pytest.approx(45, abs=0.1)
    assert found["changes"] == 4
    # SELL is named first: it is right on a third of the days.
    assert found["log_loss"]["selected"] < found["log_loss"]["all"] < found["log_loss"]["first"]
    assert found["saved"]["first"]["skill"] > found["saved"]["all"]["skill"] > 0
    table = selection_table(found)
    assert {row[0].text: (row[3].text, row[4].text) for row in table.rows} == {
        "hold": ("1", "2"), "buy": ("2", "1"), "sell": ("1", "1"),
    }  # fmt: skip
    strips = membership_strips(found).split("<li>")[1:]
    terms = {re.match("<span>(.*?)</span>", strip)[1]: strip.count("<i ") for strip in strips}
    assert terms == {"hold": 2, "buy": 2, "sell": 1}
    assert selection_figures(walked(np.zeros(BARS), replace(SETTINGS, select=SelectSettings())), SETTINGS) is None
    assert membership_strips(None) == ""
