"""Own columns that must be refused, each by the check that is there for it."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.core.errors import FeatureError
from quorate.core.settings import FeatureSettings
from quorate.features import feature_set
from quorate.features.checks import CheckMarket, check_own, require_sound
from quorate.features.checks.markets import random_walk
from quorate.features.checks.properties import live_tail, newest_rows, truncation
from quorate.features.column import Column
from quorate.features.own import own_columns

HEAD = "import numpy as np\nfrom quorate.features.own import feature\n\n"


def column(tmp_path, body, warmup=1, more=""):
    """The column `mine`, whose function has this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}{more}\n@feature(warmup={warmup})\ndef mine(bars):\n{lines}")
    (found,) = own_columns(FeatureSettings([str(path)]))
    return found


REFUSED = {
    # Look-ahead, in the ways that it is written.
    "a negative shift": ("truncation", 1, "return np.append(bars.close[1:] / bars.close[:-1] - 1, 0)"),
    "one bar of delay too few": ("truncation", 0, "return np.append(bars.high[1:], bars.high[-1]) / bars.close"),
    "a mean over all rows": ("truncation", 0, "return bars.close / bars.close.mean() - 1"),
    "a centred window": (
        "truncation",
        4,
        "return bars.close / np.convolve(np.pad(bars.close, 2, mode='edge'), np.ones(5) / 5, 'valid')",
    ),
    "a rank over all rows": ("truncation", 0, "return bars.close.argsort().argsort() / len(bars)"),
    "backward filling": (
        "truncation",
        1,
        "high = np.maximum.accumulate(bars.high[::-1])[::-1]\nreturn bars.close / high - 1",
    ),
    "a leak hidden by a tiny factor": (
        "truncation",
        1,
        "return 1e-12 * np.append(bars.close[1:] / bars.close[:-1] - 1, 0)",
    ),
    # A clock or a length instead of the bars.
    "the number of bars": ("truncation", 0, "return np.full(len(bars), 1.0 / len(bars))"),
    # Histories that begin elsewhere.
    "the age of the history": ("live tail", 0, "return np.arange(len(bars)) / 1000"),
    "a sum since the beginning": ("live tail", 0, "return np.log(np.cumsum(bars.volume) + 1)"),
    "the first price": ("live tail", 0, "return bars.close / bars.close[0]"),
    "a price": ("live tail", 0, "return bars.close"),
    "an average with a state, and no warm-up for it": (
        "newest rows",
        19,
        "out, mean = np.empty(len(bars)), bars.close[0]\n"
        "for row, close in enumerate(bars.close):\n"
        "    mean += (close - mean) * 2 / 21\n"
        "    out[row] = close / mean - 1\n"
        "return out",
    ),
    "a warm-up that is too short": (
        "newest rows",
        22,
        "out = np.zeros(len(bars))\nout[24:] = bars.close[24:] / bars.close[:-24] - 1\nreturn out",
    ),
    # Values that are not finite.
    "a logarithm of no volume": ("finiteness", 0, "return np.log(bars.volume)"),
    "a ratio over no range": ("finiteness", 0, "return (bars.close - bars.low) / (bars.high - bars.low)"),
    "a ratio over no volume": ("finiteness", 1, "return bars.volume[1:] / bars.volume[:-1]"),
    "a deviation of equal prices": (
        "finiteness",
        1,
        "step = bars.close[1:] - bars.close[:-1]\nreturn step / np.abs(step)",
    ),
    "missing values after the warm-up": ("finiteness", 0, "return np.where(bars.close > bars.open, 1.0, np.nan)"),
    # Side effects.
    "random numbers": ("repetition", 0, "return np.random.default_rng().random(len(bars))"),
    "a change to what other columns read": ("repetition", 4, "moves = bars.change(4)\nmoves *= 2\nreturn moves"),
    "a change to the candles": ("computation", 0, "bars.volume[:] = 1\nreturn bars.volume"),
    # No column at all.
    "a number": ("computation", 0, "return bars.close.mean()"),
    "a table": ("computation", 0, "return np.ones((len(bars), 2))"),
    "texts": ("computation", 0, "return np.full(len(bars), 'up')"),
    "nothing": ("computation", 0, "return None"),
    "too few values": ("computation", 1, "return bars.close[2:]"),
    "too many values": ("computation", 1, "return np.append(bars.close, 1)"),
    "an error": ("computation", 1, "return bars.closes"),
}


@pytest.mark.parametrize(("check", "warmup", "body"), REFUSED.values(), ids=REFUSED.keys())
def test_a_column_that_must_not_be_used_is_refused(tmp_path, check, warmup, body):
    found = check_own(column(tmp_path, body, warmup))
    assert found.failure is not None
    assert found.failure.check == check
    assert not found.ok
    text = str(found.error)
    assert "'mine' of mine.py" in text
    assert f"'{check}'" in text
    assert found.error.remedy


HONEST = {
    "a flag": (1, "return bars.close[1:] > bars.close[:-1]"),
    "whole numbers": (0, "return np.sign(bars.close - bars.open).astype(int)"),
    "an indicator of the bars": (20, "return bars.close / bars.ema(21) - 1"),
    "an average with a state and the warm-up for it": (
        200,
        "out, mean = np.empty(len(bars)), bars.close[0]\n"
        "for row, close in enumerate(bars.close):\n"
        "    mean += (close - mean) * 2 / 21\n"
        "    out[row] = close / mean - 1\n"
        "return out",
    ),
    "a window of pandas": (23, "import pandas as pd\nreturn pd.Series(bars.close).rolling(24).mean() / bars.close - 1"),
    "a state that is carried": (
        20,
        "def up(bars):\n    return np.cumsum(np.sign(np.diff(bars.close, prepend=bars.close[0])))\n"
        "path = bars.carried(('mine', 'path'), up)\nreturn path[20:] - path[:-20]",
    ),
    "the longest warm-up": (378, "return bars.close[378:] / bars.mean_close(379) - 1"),
    "the hour": (0, "return bars.time // 3_600_000 % 24"),
}


@pytest.mark.parametrize(("warmup", "body"), HONEST.values(), ids=HONEST.keys())
def test_an_honest_column_passes(tmp_path, warmup, body):
    found = check_own(column(tmp_path, body, warmup))
    assert found.error is None
    assert found.ok
    assert found.to_json()["failure"] is None


def test_a_refusal_names_column_check_bar_and_both_values(tmp_path):
    # The change to the next bar, 0 on the last: the first cut that the check makes shows it on the bar before.
    leak = column(tmp_path, "return np.append(bars.close[1:] / bars.close[:-1] - 1, 0)")
    failure = check_own(leak).failure
    candles = random_walk(640, 1)
    row = int(np.searchsorted(candles.time, failure.time))
    change = np.float32(candles.close[row + 1] / candles.close[row] - 1)
    assert (failure.column, failure.check, failure.found) == ("mine", "truncation", 0.0)
    assert failure.expected == change != 0
    with pytest.raises(FeatureError) as refused:
        require_sound([leak])
    text = str(refused.value)
    for word in (
        "'mine' of mine.py",
        "'truncation'",
        f"0 without the later candles, {change:.9g} with them",
        "2024-02",
    ):
        assert word in text
    assert check_own(leak).to_json()["failure"]["message"] == text


def test_a_set_with_such_a_column_is_refused_whatever_else_it_has(tmp_path):
    honest = "@feature(warmup=1)\ndef honest(bars):\n    return bars.close[1:] / bars.close[:-1] - 1\n\n"
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}{honest}@feature(warmup=0)\ndef mine(bars):\n    return bars.close / bars.close.max()\n")
    settings = FeatureSettings([str(path)])
    assert feature_set("core14+honest", settings).names[-1] == "honest"
    with pytest.raises(FeatureError, match=r"'mine' of mine\.py"):
        feature_set("core14+honest+mine", settings)


def test_a_column_is_checked_once_in_a_process(tmp_path):
    counted = column(
        tmp_path, "CALLS.append(len(bars))\nreturn bars.close[1:] / bars.close[:-1] - 1", more="CALLS = []\n"
    )
    require_sound([counted])
    calls = counted.column.compute.__closure__[1].cell_contents.function.__globals__["CALLS"]
    before = len(calls)
    assert before > 50
    require_sound([counted])
    feature_set("core14+mine", FeatureSettings([str(tmp_path / "mine.py")]))
    assert len(calls) == before


def test_a_frame_cut_off_holds_nothing_of_what_was_cut():
    market = CheckMarket({"A/USDT:USDT": random_walk(50, 1)})
    for less in (market.until(int(market.candles.time[30])), market.tail(30)):
        close = less.candles.close
        assert len(close) == 30
        base = close.base if close.base is not None else close
        assert len(base) == 30


def test_the_properties_compare_with_the_whole_history():
    market = CheckMarket({"A/USDT:USDT": random_walk(640, 9)})
    late = Column("late", 0, lambda bars: np.append(bars.close[1:], bars.close[-1]))
    failure = truncation((late,), market, [500])
    assert failure.time == market.candles.time[499]
    assert (failure.found, failure.expected) == tuple(np.float32(market.candles.close[[499, 500]]))
    assert truncation((Column("close", 0, lambda bars: bars.close),), market, [500]) is None
    aged = Column("aged", 0, lambda bars: np.arange(len(bars)))
    assert live_tail((aged,), market).time == market.candles.time[-120]
    assert newest_rows((aged,), market, [639]).found == 1.0  # row 1 of the two bars that it is given
