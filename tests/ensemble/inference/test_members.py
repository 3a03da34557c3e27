"""Members that fail, hang or return invalid output abstain with the reason and do not affect the others."""

import threading
import time

import numpy as np
import pytest

from quorate import Abstention, Action
from quorate.core.settings import PredictSettings
from quorate.ensemble.inference.members import Members
from quorate.features import Inputs


def bars(count):
    return Inputs(np.zeros((count, 3), np.float32), 60_000 * np.arange(count), "1m")


ROW = bars(1)


class Fixed:
    """A session with fixed scores for every row."""

    window = 1
    batch = None

    def __init__(self, *scores):
        self.scores = scores

    def run(self, X):
        return np.tile(np.array(self.scores, float), (len(X), 1))


class Fails:
    window = 1
    batch = None

    def run(self, X):
        raise RuntimeError("broken session")


class Hanging:
    """A session that hangs until it is released."""

    window = 1
    batch = None

    def __init__(self):
        self.free = threading.Event()

    def stop(self, older_than_s=0.0):
        """As of a session in an operator: it goes on."""

    def run(self, X):
        self.free.wait(30)
        return np.tile([0.0, 0.0, 1.0], (len(X), 1))


def members(sessions, failures=None, deadline_ms=2_000):
    failures = failures or {}
    return Members([*sessions, *failures], sessions, failures, PredictSettings(deadline_ms=deadline_ms))


def test_votes_and_abstentions_come_in_the_order_of_the_manifest():
    order = ("gone", "buyer", "broken", "seller")
    sessions = {"seller": Fixed(0.8, 0.1, 0.1), "buyer": Fixed(0.1, 0.2, 0.7), "broken": Fails()}
    votes = Members(order, sessions, {"gone": "could not load"}, PredictSettings()).votes((ROW,))[0]
    assert [one.model for one in votes] == list(order)
    assert votes[0] == Abstention("gone", "could not load")
    assert (votes[1].action, votes[1].score, votes[1].scores) == (Action.BUY, 0.7, (0.1, 0.2, 0.7))
    assert votes[2] == Abstention("broken", "failed: broken session")
    assert (votes[3].action, votes[3].score) == (Action.SELL, 0.8)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ((np.nan, 0.5, 0.5), "scores are [nan, 0.5, 0.5]"),
        ((np.inf, 0.0, 0.0), "scores are [inf, 0.0, 0.0]"),
        ((2.0, 0.0, 0.0), "scores are [2.0, 0.0, 0.0]"),
        ((-0.5, 0.5, 1.0), "scores are [-0.5, 0.5, 1.0]"),
        ((0.5, 0.5), "scores of shape (1, 2)"),
    ],
)
def test_invalid_scores_are_an_abstention_live_and_in_the_frame(scores, reason):
    odd = members({"odd": Fixed(*scores), "sound": Fixed(0.1, 0.2, 0.7)})
    votes = odd.votes((ROW,))[0]
    assert isinstance(votes[0], Abstention)
    assert reason in votes[0].reason
    assert votes[1].action == Action.BUY
    tables = odd.scores(bars(4), np.array([True, True, False, True]))
    assert np.isnan(tables["odd"]).all()
    assert np.isfinite(tables["sound"]).all(axis=1).tolist() == [True, True, False, True]


def test_a_sum_that_passes_1_by_its_last_bit_is_1():
    votes = members({"odd": Fixed(-1e-9, 0.0, 1.0 + 5e-7)}).votes((ROW,))[0]
    assert votes[0].scores == (0.0, 0.0, 1.0)


def test_a_frame_outlives_a_member_that_fails(caplog):
    tables = members({"broken": Fails(), "sound": Fixed(0.1, 0.2, 0.7)}, {"gone": "x"}).scores(
        bars(5), np.ones(5, bool)
    )
    assert list(tables) == ["broken", "sound", "gone"]
    assert np.isnan(tables["broken"]).all()
    assert np.isnan(tables["gone"]).all()
    assert tables["sound"][:, 2].tolist() == [0.7] * 5
    assert "broken abstains from 5 bars: broken session" in caplog.text


def test_without_a_usable_row_no_session_runs():
    tables = members({"broken": Fails()}).scores(bars(3), np.zeros(3, bool))
    assert np.isnan(tables["broken"]).all()


def test_a_member_that_hangs_times_out_each_time_and_does_not_delay_the_others():
    hanging = Hanging()
    both = members({"hanging": hanging, "sound": Fixed(0.1, 0.2, 0.7)}, deadline_ms=300)
    try:
        for _ in range(4):
            late, sound = both.votes((ROW,))[0]
            assert late == Abstention("hanging", "exceeded 300 ms")
            assert sound.action == Action.BUY
    finally:
        hanging.free.set()
    # Once released, it votes again.
    assert [type(one).__name__ for one in both.votes((ROW,))[0]] == ["Vote", "Vote"]


@pytest.mark.parametrize(
    ("loaded", "missing", "mode"),
    [(4, 0, "full"), (1, 0, "full"), (3, 1, "partial"), (2, 5, "partial"), (1, 1, "none"), (0, 1, "none")],
)
def test_modes(loaded, missing, mode):
    sessions = {f"m{i}": Fixed(0, 0, 1) for i in range(loaded)}
    some = members(sessions, {f"x{i}": "gone" for i in range(missing)})
    assert some.mode == mode
    assert len(some) == loaded + missing
    assert [a.reason for a in some.abstain("late")] == ["late"] * loaded + ["gone"] * missing


class Reads(Fixed):
    """A session that reads windows and records the shapes of its inputs."""

    def __init__(self, window):
        super().__init__(0.0, 0.0, 1.0)
        self.window = window
        self.shapes = []

    def run(self, X):
        self.shapes.append(X.shape)
        return super().run(X)


def test_each_member_gets_the_bars_it_reads_and_abstains_without_them():
    sessions = {"row": Reads(1), "short": Reads(4), "long": Reads(10)}
    some = members(sessions)
    assert some.window == 10
    X = np.zeros((8, 3), np.float32)
    X[:2] = np.nan
    votes = some.votes((Inputs(X, 60_000 * np.arange(8), "1m"),))[0]
    assert [type(one).__name__ for one in votes] == ["Vote", "Vote", "Abstention"]
    assert votes[2].reason == "too little history: features known on 6 of the 10 bars it reads"
    assert (sessions["row"].shapes, sessions["short"].shapes) == ([(1, 3)], [(1, 4, 3)])
    gap = 60_000 * np.array([0, 1, 2, 3, 4, 6, 7, 8])
    votes = some.votes((Inputs(np.zeros((8, 3), np.float32), gap, "1m"),))[0]
    assert votes[1].reason == "a bar is missing among the last 4"
    tables = some.scores(Inputs(X, gap, "1m"), np.arange(8) != 7)
    assert np.isfinite(tables["row"]).all(axis=1).tolist() == [False, False, *[True] * 5, False]
    # Rows 2 to 4 are consecutive, and rows 5 to 7: no four are.
    assert np.isnan(tables["short"]).all()
    assert np.isnan(tables["long"]).all()


def test_many_markets_run_in_one_batch_and_each_gets_its_row():
    class Mirrors(Reads):
        def run(self, X):
            self.shapes.append(X.shape)
            rising = X.reshape(len(X), -1)[:, -1:].astype(float)
            return np.hstack([1 - rising, 0 * rising, rising])

    row, long = Mirrors(1), Mirrors(3)
    some = Members(("row", "long", "gone"), {"row": row, "long": long}, {"gone": "x"}, PredictSettings())
    markets = [Inputs(np.full((n, 2), p, np.float32), 60_000 * np.arange(n), "1m") for n, p in ((5, 1), (2, 0), (3, 0))]
    predictions = some.votes(markets)
    assert (row.shapes, long.shapes) == ([(3, 2)], [(2, 3, 2)])
    assert [votes[0].action for votes in predictions] == [Action.BUY, Action.SELL, Action.SELL]
    assert [getattr(votes[1], "action", None) for votes in predictions] == [Action.BUY, None, Action.SELL]
    assert "2 of the 3 bars" in predictions[1][1].reason
    assert {votes[2] for votes in predictions} == {Abstention("gone", "x")}


def test_a_large_batch_is_split_into_multiples_of_the_graphs_batch_size():
    class Counts(Reads):
        batch = 4

        def run(self, X):
            self.shapes.append(X.shape)
            place = np.asarray(X).reshape(len(X), -1)[:, -1:].astype(float) / 1_000
            return np.hstack([place, 0 * place, 1 - place])

    session = Counts(2)
    some = members({"counts": session}, deadline_ms=5_000)
    n = 103
    X = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    table = some.scores(Inputs(X, 60_000 * np.arange(n), "1m"), np.ones(n, bool))["counts"]
    np.testing.assert_allclose(table[1:, 0], X[1:, 1] / 1_000, rtol=1e-6)
    assert sum(shape[0] for shape in session.shapes) == n - 1
    assert sum(shape[0] % 4 > 0 for shape in session.shapes) == 1
    session.shapes.clear()
    markets = [Inputs(X[i : i + 2], 60_000 * np.arange(2), "1m") for i in range(50)]
    predictions = some.votes(markets)
    assert [round(1_000 * votes[0].scores[0]) for votes in predictions] == [int(X[i + 1, 1]) for i in range(50)]
    assert sum(shape[0] for shape in session.shapes) == 50


def test_a_member_that_hangs_over_a_frame_abstains_from_this_one_and_the_next(caplog):
    hanging, sound = Hanging(), Fixed(0.1, 0.2, 0.7)
    limits = PredictSettings(frame_s=0.3, frame_row_ms=20)
    both = Members(("hanging", "sound"), {"hanging": hanging, "sound": sound}, {}, limits)
    try:
        for _ in range(2):
            began = time.monotonic()
            tables = both.scores(bars(5), np.ones(5, bool))
            assert np.isnan(tables["hanging"]).all()
            assert tables["sound"][:, 2].tolist() == [0.7] * 5
        assert time.monotonic() - began < 0.3, "the second frame does not wait for it"
        assert "no scores of 5 bars after 0.4 s" in caplog.text
    finally:
        hanging.free.set()
