"""Members that misbehave in every way they can: each is an abstention with its cause, and nobody else's loss."""

import threading

import numpy as np
import pytest

from quorate import Abstention, Action
from quorate.ensemble.inference.members import Members
from quorate.features import Inputs


def bars(count):
    return Inputs(np.zeros((count, 3), np.float32), 60_000 * np.arange(count), "1m")


ROW = bars(1)


class Says:
    """A session with a fixed answer for every row."""

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
        raise RuntimeError("out of luck")


class Waits:
    """Hangs until it is let go."""

    window = 1
    batch = None

    def __init__(self):
        self.free = threading.Event()

    def run(self, X):
        self.free.wait(30)
        return np.tile([0.0, 0.0, 1.0], (len(X), 1))


def members(sessions, failures=None, deadline_ms=2_000):
    failures = failures or {}
    return Members([*sessions, *failures], sessions, failures, deadline_ms)


def test_votes_and_abstentions_come_in_the_order_of_the_manifest():
    order = ("gone", "buyer", "broken", "seller")
    sessions = {"seller": Says(0.8, 0.1, 0.1), "buyer": Says(0.1, 0.2, 0.7), "broken": Fails()}
    ballot = Members(order, sessions, {"gone": "could not load"}, 2_000).vote(ROW)
    assert [one.model for one in ballot] == list(order)
    assert ballot[0] == Abstention("gone", "could not load")
    assert (ballot[1].action, ballot[1].score, ballot[1].scores) == (Action.BUY, 0.7, (0.1, 0.2, 0.7))
    assert ballot[2] == Abstention("broken", "failed: out of luck")
    assert (ballot[3].action, ballot[3].score) == (Action.SELL, 0.8)


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
def test_what_is_no_score_is_an_abstention_live_and_in_the_frame(scores, reason):
    odd = members({"odd": Says(*scores), "sound": Says(0.1, 0.2, 0.7)})
    ballot = odd.vote(ROW)
    assert isinstance(ballot[0], Abstention)
    assert reason in ballot[0].reason
    assert ballot[1].action == Action.BUY
    tables = odd.scores(bars(4), np.array([True, True, False, True]))
    assert np.isnan(tables["odd"]).all()
    assert np.isfinite(tables["sound"]).all(axis=1).tolist() == [True, True, False, True]


def test_a_sum_that_passes_1_by_its_last_bit_is_1():
    ballot = members({"odd": Says(-1e-9, 0.0, 1.0 + 5e-7)}).vote(ROW)
    assert ballot[0].scores == (0.0, 0.0, 1.0)


def test_a_frame_outlives_a_member_that_fails(caplog):
    tables = members({"broken": Fails(), "sound": Says(0.1, 0.2, 0.7)}, {"gone": "x"}).scores(bars(5), np.ones(5, bool))
    assert list(tables) == ["broken", "sound", "gone"]
    assert np.isnan(tables["broken"]).all()
    assert np.isnan(tables["gone"]).all()
    assert tables["sound"][:, 2].tolist() == [0.7] * 5
    assert "broken abstains from 5 bars: out of luck" in caplog.text


def test_no_usable_row_asks_nobody():
    tables = members({"broken": Fails()}).scores(bars(3), np.zeros(3, bool))
    assert np.isnan(tables["broken"]).all()


def test_a_member_that_hangs_is_late_again_and_again_and_never_holds_up_the_others():
    hanging = Waits()
    both = members({"hanging": hanging, "sound": Says(0.1, 0.2, 0.7)}, deadline_ms=300)
    try:
        for _ in range(4):
            late, sound = both.vote(ROW)
            assert late == Abstention("hanging", "exceeded 300 ms")
            assert sound.action == Action.BUY
    finally:
        hanging.free.set()
    # Let go, it is heard again.
    assert [type(one).__name__ for one in both.vote(ROW)] == ["Vote", "Vote"]


@pytest.mark.parametrize(
    ("loaded", "missing", "mode"),
    [(4, 0, "full"), (1, 0, "full"), (3, 1, "partial"), (2, 5, "partial"), (1, 1, "none"), (0, 1, "none")],
)
def test_modes(loaded, missing, mode):
    sessions = {f"m{i}": Says(0, 0, 1) for i in range(loaded)}
    some = members(sessions, {f"x{i}": "gone" for i in range(missing)})
    assert some.mode == mode
    assert len(some) == loaded + missing
    assert [a.reason for a in some.abstain("late")] == ["late"] * loaded + ["gone"] * missing


class Reads(Says):
    """A session that reads some bars at once and says how many it was given."""

    def __init__(self, window):
        super().__init__(0.0, 0.0, 1.0)
        self.window = window
        self.shapes = []

    def run(self, X):
        self.shapes.append(X.shape)
        return super().run(X)


def test_each_member_is_given_the_bars_it_reads_and_abstains_without_them():
    sessions = {"row": Reads(1), "short": Reads(4), "long": Reads(10)}
    some = members(sessions)
    assert some.window == 10
    X = np.zeros((8, 3), np.float32)
    X[:2] = np.nan
    ballot = some.vote(Inputs(X, 60_000 * np.arange(8), "1m"))
    assert [type(one).__name__ for one in ballot] == ["Vote", "Vote", "Abstention"]
    assert ballot[2].reason == "too little history: features known on 6 of the 10 bars it reads"
    assert (sessions["row"].shapes, sessions["short"].shapes) == ([(1, 3)], [(1, 4, 3)])
    gap = 60_000 * np.array([0, 1, 2, 3, 4, 6, 7, 8])
    ballot = some.vote(Inputs(np.zeros((8, 3), np.float32), gap, "1m"))
    assert ballot[1].reason == "a bar is missing among the last 4"
    tables = some.scores(Inputs(X, gap, "1m"), np.arange(8) != 7)
    assert np.isfinite(tables["row"]).all(axis=1).tolist() == [False, False, *[True] * 5, False]
    # Rows 2 to 4 are joined, and rows 5 to 7: no four bars are.
    assert np.isnan(tables["short"]).all()
    assert np.isnan(tables["long"]).all()


def test_one_batch_for_many_markets_and_each_gets_its_own_row():
    class Mirrors(Reads):
        def run(self, X):
            self.shapes.append(X.shape)
            rising = X.reshape(len(X), -1)[:, -1:].astype(float)
            return np.hstack([1 - rising, 0 * rising, rising])

    row, long = Mirrors(1), Mirrors(3)
    some = Members(("row", "long", "gone"), {"row": row, "long": long}, {"gone": "x"}, 2_000)
    markets = [Inputs(np.full((n, 2), p, np.float32), 60_000 * np.arange(n), "1m") for n, p in ((5, 1), (2, 0), (3, 0))]
    ballots = some.votes(markets)
    assert (row.shapes, long.shapes) == ([(3, 2)], [(2, 3, 2)])
    assert [ballot[0].action for ballot in ballots] == [Action.BUY, Action.SELL, Action.SELL]
    assert [getattr(ballot[1], "action", None) for ballot in ballots] == [Action.BUY, None, Action.SELL]
    assert "2 of the 3 bars" in ballots[1][1].reason
    assert {ballot[2] for ballot in ballots} == {Abstention("gone", "x")}


def test_a_large_batch_is_shared_out_in_whole_batches_of_the_graph_and_put_together_in_order():
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
    ballots = some.votes(markets)
    assert [round(1_000 * ballot[0].scores[0]) for ballot in ballots] == [int(X[i + 1, 1]) for i in range(50)]
    assert sum(shape[0] for shape in session.shapes) == 50
