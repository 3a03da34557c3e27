"""No row is scored by a model that was fitted on it, or on a label that reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import EvaluationError, ModelError
from quorate.core.settings import ModelSettings, PolicySettings, Settings, SplitSettings, TrainSettings, VoteSettings
from quorate.core.types import Action
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics import classification
from quorate.evaluation.walk_forward.fold_rows import split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.models import FitRequest, Model

START = parse_ms("2025-08-01")

# Scores as the models give them.
PLAIN = replace(Settings(), train=TrainSettings(head="classes"))


def made_rows(bars_of: dict[str, np.ndarray], horizon: int, seed: int = 0, unusable: float = 0.0) -> LabelledBars:
    """Rows of symbols with bars at the given hours. The first column is the hour; labels are drawn.

    A label is known where the bars up to the horizon are all there.
    """
    rng = np.random.default_rng(seed)
    hours = np.concatenate(list(bars_of.values()))
    n = len(hours)
    known = np.concatenate([
        np.isin(own + horizon, own) & (np.searchsorted(own, own + horizon) - np.arange(len(own)) == horizon)
        for own in bars_of.values()
    ])  # fmt: skip
    X = np.stack([hours, rng.normal(size=n)], axis=1).astype(np.float32)
    X[rng.random(n) < unusable, 1] = np.nan
    ends = np.cumsum([len(own) for own in bars_of.values()])
    time = START + hours * HOUR_MS
    return LabelledBars(
        X=X,
        columns=("hour", "noise"),
        features="made",
        contexts={},
        y=rng.integers(0, 3, n).astype(np.int8),
        known=known,
        usable=np.isfinite(X).all(axis=1),
        time=time,
        span_end=time + horizon * HOUR_MS,
        forward_return=np.where(known, rng.normal(0, 0.01, n), np.nan),
        volatility=np.full(n, 0.01),
        spans={
            name: slice(int(end) - len(own), int(end)) for (name, own), end in zip(bars_of.items(), ends, strict=True)
        },
        timeframe="1h",
    )


@st.composite
def panels(draw: Any) -> tuple[LabelledBars, int, int, int, bool]:
    horizon, folds = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    embargo, anchored = draw(st.integers(0, 6)), draw(st.booleans())
    bars_of = {}
    for name in "ABC"[: draw(st.integers(1, 3))]:
        first, length = draw(st.integers(0, 40)), draw(st.integers(160, 260))
        gap, width = draw(st.integers(0, length - 1)), draw(st.integers(0, 12))
        hours = first + np.arange(length)
        bars_of[name] = np.delete(hours, slice(gap, gap + width))
    rows = made_rows(bars_of, horizon, draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 0.2])))
    return rows, folds, embargo, horizon, anchored


@settings(max_examples=80)
@given(panels())
def test_training_labels_end_before_the_test_span_and_every_later_bar_is_tested_once(
    made: tuple[LabelledBars, int, int, int, bool],
) -> None:
    rows, folds, embargo, _, anchored = made
    cut = split_folds(rows, folds, embargo_bars=embargo, anchored=anchored)
    learned = rows.trainable
    before: set[int] = set()
    for step in cut:
        assert learned[step.train].all()
        assert rows.span_end[step.train].max() + embargo * HOUR_MS < step.start
        assert (rows.time[step.test] >= step.start).all()
        assert (rows.time[step.test] < step.end).all()
        assert not set(step.train) & set(step.test)
        if anchored:
            assert before <= set(step.train)
            before = set(step.train)
            own = learned & (rows.time < step.start)
            assert len(step.train) + step.purged + step.embargoed == own.sum()
    tested = np.concatenate([step.test for step in cut])
    assert len(tested) == len(set(tested))
    if len(cut) == folds:
        assert set(tested) == set(np.flatnonzero(rows.time >= cut[0].start))


def test_the_spans_of_three_folds_worked_by_hand() -> None:
    # 43 bars and a horizon of 3: bars 0 to 39 have a label. In 4 parts of 10, the last takes the unlabelled bars too.
    rows = made_rows({"A": np.arange(43)}, horizon=3)
    cut = split_folds(rows, 3, embargo_bars=2)
    assert [(step.start - START) // HOUR_MS for step in cut] == [10, 20, 30]
    assert [(step.end - START) // HOUR_MS for step in cut] == [20, 30, 43]
    # Labels of bars 7, 8, 9 read bar 10 or later; those of bars 5 and 6 end at bars 8 and 9, inside the embargo.
    assert cut[0].train.tolist() == [0, 1, 2, 3, 4]
    assert (cut[0].purged, cut[0].embargoed) == (3, 2)
    assert cut[2].train.tolist() == list(range(25))
    assert cut[2].test.tolist() == list(range(30, 43))
    rolling = split_folds(rows, 3, embargo_bars=2, anchored=False)
    assert [step.train.tolist() for step in rolling] == [list(range(a, a + 5)) for a in (0, 10, 20)]


def test_the_first_test_span_begins_where_it_is_told_to() -> None:
    # Bars 0 to 39 have a label; 25 of them after bar 14, in parts of 9, 9 and what is left.
    rows = made_rows({"A": np.arange(43)}, horizon=3)
    cut = split_folds(rows, 3, embargo_bars=2, first=START + 15 * HOUR_MS)
    assert [(step.start - START) // HOUR_MS for step in cut] == [15, 24, 33]
    assert [(step.end - START) // HOUR_MS for step in cut] == [24, 33, 43]
    assert cut[0].train.tolist() == list(range(10))
    with pytest.raises(EvaluationError, match="40 labelled bars, 0 of them before the first test span"):
        split_folds(rows, 3, embargo_bars=2, first=START)


@pytest.mark.parametrize(
    ("bars", "horizon", "folds", "embargo", "words"),
    [
        (3, 5, 2, 0, "no row with every feature and a label"),
        (9, 5, 6, 0, "4 labelled bars"),
        (20, 5, 5, 0, "no row with a complete label"),
        (43, 3, 3, 30, "no label that ends 30 bars before the test span of fold 1"),
    ],
)
def test_too_few_bars_are_refused(bars: int, horizon: int, folds: int, embargo: int, words: str) -> None:
    with pytest.raises(Exception, match=words) as refused:
        split_folds(made_rows({"A": np.arange(bars)}, horizon), folds, embargo_bars=embargo)
    assert type(refused.value).__module__ == "quorate.core.errors"


class Told(Model):
    """A member of few words, for arithmetic: it gives the same three scores everywhere."""

    name: ClassVar[str] = "told"
    suffix: ClassVar[str] = ".none"
    says: tuple[float, float, float] = (0.2, 0.2, 0.6)
    refuses_after: float = float("inf")
    fitted: int | None = None

    @property
    def columns(self) -> int | None:
        return self.fitted

    def _fit(self, request: FitRequest) -> None:
        X: Any = request.X
        if X[:, 0].max() >= self.refuses_after:
            raise ModelError("fit told", found="too late an hour")
        self.fitted = X.shape[1]

    def _infer(self, X: Any) -> Any:
        return np.tile(self.says, (len(X), 1))

    def save(self, path: Any) -> None:
        raise NotImplementedError

    def load(self, path: Any) -> Any:
        raise NotImplementedError

    def to_onnx(self) -> bytes:
        raise NotImplementedError


class Memory(Told):
    """Knows what it has learned by heart, and whatever its labels have read: certain there, clueless elsewhere."""

    horizon = 4

    def _fit(self, request: FitRequest) -> None:
        X: Any = request.X
        self.fitted, self.read = X.shape[1], set((X[:, :1] + np.arange(self.horizon + 1)).ravel().tolist())

    def _infer(self, X: Any) -> Any:
        seen = np.isin(X[:, 0], list(self.read))
        return np.where(seen[:, None], (1.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3))


def told(kind: type[Told] = Told, **more: Any) -> Told:
    model = kind("class", ModelSettings(), seed=0)
    for name, value in more.items():
        setattr(model, name, value)
    return model


def walked(rows: LabelledBars, members: dict[str, Any], folds: int = 3) -> WalkResult:
    # Members that count their fits or their hours are fitted once a fold.
    once = replace(PLAIN, policy=PolicySettings(name="classic", refit="none"))
    return walk(rows, tuple(members), once, WalkOptions(folds=folds, build=lambda name: members[name]()))


@settings(max_examples=30)
@given(panels())
def test_a_member_that_learns_by_heart_knows_nothing_of_the_bars_it_is_asked_about(
    made: tuple[LabelledBars, int, int, int, bool],
) -> None:
    rows, folds, _, horizon, anchored = made
    kind = type("MemoryOfHorizon", (Memory,), {"horizon": horizon})
    done = walk(rows, ("m",), PLAIN, WalkOptions(folds=folds, anchored=anchored, build=lambda _: told(kind)))
    scores = done.scores["m"][np.isfinite(done.scores["m"][:, 0])]
    assert len(scores)
    np.testing.assert_allclose(scores, 1 / 3)


def test_a_member_that_learns_by_heart_would_be_found_out() -> None:
    """The test above can fail: the same member is certain on rows that it was fitted on."""
    rows = made_rows({"A": np.arange(60)}, 4)
    model = told(Memory).fit(rows.X[:30], rows.y[:30])
    assert model.predict_proba(rows.X[:34])[:, 0].tolist() == [1.0] * 34
    assert model.predict_proba(rows.X[34:]).max() == pytest.approx(1 / 3)


def test_a_member_that_fails_abstains_in_that_fold_with_its_reason() -> None:
    rows = made_rows({"A": np.arange(83), "B": np.arange(10, 83)}, 3)
    done = walked(rows, {"steady": told, "moody": lambda: told(refuses_after=20)})
    assert [fit["moody"].failure is None for fit in done.fits] == [True, False, False]
    assert "too late an hour" in str(done.fits[1]["moody"].failure)
    frames = done.frames(VoteSettings())
    second = done.folds[1].start
    for frame in frames.values():
        voted = np.isfinite(frame.scores["moody"]).all(axis=1)
        assert (voted == (frame.time < second)).all()
        # With one of two members silent there is no quorum: the abstention is no HOLD vote and no agreement.
        assert set(frame.rule[~voted]) == {"no_quorum"}
        assert (frame.action[~voted] == Action.HOLD).all()


def test_frames_are_continuous_over_all_folds() -> None:
    rows = made_rows({"A": np.arange(83), "B": np.arange(30, 83)}, 3, unusable=0.2)
    done = walked(rows, {"one": told, "two": told})
    frames = done.frames(VoteSettings())
    for symbol, frame in frames.items():
        assert frame.time.tolist() == [time for time in rows.time[rows.spans[symbol]].tolist() if time >= done.start]
        usable = rows.usable[done.tested[symbol]]
        assert (np.isfinite(frame.scores["one"][:, 0]) == usable).all()
        assert set(frame.rule[~usable]) == {"no_votes"}


def test_frames_by_each_policy_name_it() -> None:
    rows = made_rows({"A": np.arange(83)}, 3)
    done = walked(rows, {"one": told, "two": told})
    classic, closed, consensus = (done.frames(VoteSettings(), by)["A"] for by in ("classic", "closed", "consensus"))
    assert [frame.policy for frame in (classic, closed, consensus)] == ["classic", "closed", "consensus"]
    assert (closed.action == Action.HOLD).all()
    np.testing.assert_array_equal(closed.confidence, classic.confidence)
    expected = decide_frame(classic.scores, classic.volatility, policy="consensus", members=2)
    np.testing.assert_array_equal(consensus.action, expected.action)
    np.testing.assert_array_equal(consensus.confidence, expected.confidence)


def test_a_fold_that_chose_to_be_closed_holds() -> None:
    """Folds that chose differently: the frame is mixed, and each bar has the rule of its fold."""
    rows = made_rows({"A": np.arange(83)}, 3)
    done = walked(rows, {"one": told, "two": told})
    chosen = [replace(done.policies[0], policy="closed"), *done.policies[1:]]
    frame = replace(done, policies=tuple(chosen)).frames(VoteSettings())["A"]
    first = frame.time < done.folds[1].start
    assert frame.policy == "mixed"
    assert set(frame.rule[first]) == {"closed"}
    assert "closed" not in set(frame.rule[~first])


def test_the_prior_of_each_fold_is_that_of_its_own_training_rows() -> None:
    rows = made_rows({"A": np.arange(83)}, 3)
    done = walked(rows, {"one": told})
    for step in done.folds:
        expected = np.bincount(rows.y[step.train], minlength=3) / len(step.train)
        assert done.prior[step.test] == pytest.approx(np.tile(expected, (len(step.test), 1)))
    assert np.isnan(done.prior[rows.time < done.start]).all()


def test_the_best_member_is_chosen_by_the_folds_before() -> None:
    rows = made_rows({"A": np.arange(203)}, 3)
    first = split_folds(rows, 3, embargo_bars=5)[0]
    # In the first test span SELL happens every time, later BUY does.
    y = np.where(rows.time < first.end, Action.SELL, Action.BUY).astype(np.int8)
    rows = replace(rows, y=y)
    done = walked(rows, {"bull": lambda: told(says=(0.1, 0.2, 0.7)), "bear": lambda: told(says=(0.8, 0.1, 0.1))})
    scores, chosen = done.best_member()
    # Nothing is known at first; then bear was right. Over both spans bull lost ln 10 and -ln 0.7, and bear -ln 0.8 and
    # ln 10, so bear is still ahead, and speaks in the third, where it is wrong.
    assert chosen == ("bull", "bear", "bear")
    for step, name in zip(done.folds, chosen, strict=True):
        assert (scores[step.test] == done.scores[name][step.test]).all()
    last = done.folds[2].test
    assert classification.log_loss(y[last], done.scores["bull"][last]) < classification.log_loss(
        y[last], done.scores["bear"][last]
    )


def test_the_choice_of_the_best_member_knows_no_label_that_has_not_ended() -> None:
    rows = made_rows({"A": np.arange(140)}, 12)
    members = {"bull": lambda: told(says=(0.1, 0.2, 0.7)), "bear": lambda: told(says=(0.7, 0.2, 0.1))}
    second = split_folds(rows, 3, embargo_bars=5)[1].start
    ended = rows.span_end < second
    assert (ended & (rows.time >= walked(rows, members).start) & rows.known).sum() == 20
    for class_, best in ((Action.SELL, "bear"), (Action.BUY, "bull")):
        # What has ended speaks for one, and everything that has not for the other.
        y = np.where(ended, class_, 2 - class_).astype(np.int8)
        assert walked(replace(rows, y=y), members).best_member()[1][1] == best


def test_a_best_member_that_fails_is_replaced_and_one_alone_stays() -> None:
    rows = made_rows({"A": np.arange(203)}, 3)
    done = walked(rows, {"moody": lambda: told(refuses_after=60), "steady": told})
    assert done.best_member()[1] == ("moody", "steady", "steady")
    assert walked(rows, {"steady": told}).best_member()[1] == ("steady",) * 3


def test_names_are_looked_at_before_anything_is_trained() -> None:
    rows = made_rows({"A": np.arange(83)}, 3)
    for members, words in (((), "none"), (("xgboost", "xgboost"), "xgboost, xgboost"), (("xgbost",), "xgboost")):
        with pytest.raises(ModelError, match=words):
            walk(rows, members, Settings())
    with pytest.raises(ModelError, match="too late an hour"):
        walked(rows, {"moody": lambda: told(refuses_after=0)})
    with pytest.raises(EvaluationError):
        walked(rows, {"one": told}, folds=200)


class Witness(Told):
    """Reads windows, stops early, and keeps what it was given."""

    window = 4
    stops_early = True

    def _fit(self, request: FitRequest) -> None:
        self.fitted, self.request = request.X.shape[-1], request


def test_a_member_of_windows_learns_and_is_asked_only_where_they_are_whole() -> None:
    hours = np.delete(np.arange(100), 40)
    rows = made_rows({"A": hours, "B": np.arange(50, 100)}, 3)
    seen: list[Witness] = []

    def build_one(_: str) -> Model:
        seen.append(told(Witness))
        return seen[-1]

    # All later rows are to stop by: these spans are too short for three slices.
    split = SplitSettings(stop=1.0, calibrate=0.0)
    done = walk(
        rows,
        ("m",),
        replace(PLAIN, split=split, policy=PolicySettings(refit="none")),
        WalkOptions(folds=3, build=build_one),
    )
    voted = np.isfinite(done.scores["m"]).all(axis=1)
    tested = rows.time >= done.start
    lacking = np.isin(rows.time, rows.time[rows.spans["B"]][:3]) & (np.arange(len(rows)) >= rows.spans["B"].start)
    after_gap = np.isin((rows.time - START) // HOUR_MS, (41, 42, 43)) & (np.arange(len(rows)) < rows.spans["B"].start)
    np.testing.assert_array_equal(voted, tested & ~lacking & ~after_gap)
    for step, member in zip(done.folds, seen, strict=True):
        fitted, later = member.request.X[:], member.request.stopping
        assert later is not None
        assert fitted.shape[1:] == (4, rows.X.shape[1])
        # The first column is the hour: the rows to stop by begin after the last label of those learned from has ended.
        assert fitted[:, -1, 0].max() + 3 < later.X[:][:, -1, 0].min()
        assert later.X[:][:, -1, 0].max() + 3 < (step.start - START) // HOUR_MS
