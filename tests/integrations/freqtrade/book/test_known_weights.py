"""A book's decisions in Freqtrade: by what was known, and those of the account."""

import numpy as np
import pytest

from integrations.freqtrade.book.conftest import BAR_MS
from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.portfolio.targets import BookTargets
from quorate.core.clock import DAY_MS, MINUTE_MS
from quorate.core.types import Funding
from quorate.integrations.freqtrade.book.known_weights import KnownWeights, lookback_bars
from quorate.workflows.book.markets import BookMarkets


@pytest.fixture(scope="session")
def known(traded):
    return KnownWeights(traded.book, traded.markets)


def until(markets, end):
    """What was known at a moment, the settlement of that moment included."""
    funding = {}
    for pair, settled in markets.funding.items():
        chosen = settled.time <= end + MINUTE_MS
        funding[pair] = Funding(pair, settled.time[chosen], settled.rate[chosen])
    return BookMarkets({pair: candles.between(end=end) for pair, candles in markets.candles.items()}, funding)


def moments(traded):
    """A start of a day, and other closes."""
    return [traded.start + bars * BAR_MS for bars in (0, 1, 6, 47, 96, 179)]


def held(known, moment):
    closes = known.closes(moment)
    return {pair: (-1) ** number * 2_000 / closes[pair] for number, pair in enumerate(known.pairs[:6])}


def test_later_candles_change_no_decision_and_no_column(traded, known):
    for moment in moments(traded):
        cut = KnownWeights(traded.book, until(traded.markets, moment))
        for whole in (False, True):
            arguments = moment, 100_000.0, held(known, moment)
            before, after = (each.decide(*arguments, whole=whole) for each in (cut, known))
            assert (before is None) == (after is None)
            if before is not None:
                assert before == pytest.approx(after, rel=1e-6)
        assert cut.closes(moment) == known.closes(moment)
        opened = moment - BAR_MS * np.arange(30, 0, -1)
        for pair in known.pairs[:3]:
            columns = known.frame_columns(pair, opened)
            for name, column in cut.frame_columns(pair, opened).items():
                assert np.array_equal(column, columns[name]), (pair, name)


def test_quantities_are_the_weights_of_the_account(traded, known):
    settings = traded.book.manifest.settings
    panel = DailyPanel.of(traded.markets.candles, traded.markets.funding, settings)
    targets = BookTargets(panel, traded.book.weights(panel), settings)
    moment, equity = traded.start + 10 * DAY_MS, 50_000.0
    closes, positions = known.closes(moment), held(known, moment)
    weights = targets.columns((pair, quantity * closes[pair] / equity) for pair, quantity in positions.items())
    wanted = targets.at(moment, equity, weights)
    decided = known.decide(moment, equity, positions)
    assert decided
    for column, pair in enumerate(known.pairs):
        if pair in decided:
            assert decided[pair] == pytest.approx(wanted[column] * equity / closes[pair])
        else:
            assert wanted[column] == weights[column]


def test_a_market_without_a_position_is_opened_only_where_the_columns_say_so(traded, known):
    opened = traded.start - BAR_MS + BAR_MS * np.arange(180)
    sides = {pair: known.frame_columns(pair, opened)["quorate_opening"] for pair in known.pairs}
    count = 0
    for row, moment in enumerate((opened + BAR_MS).tolist()):
        decided = known.decide(moment, 1_000.0, {}) or {}
        for pair, quantity in decided.items():
            assert quantity == 0 or np.sign(quantity) == sides[pair][row]
            count += 1
        for pair in known.pairs:
            assert sides[pair][row] == 0 or pair in decided
    assert count > 100


def test_columns_name_the_sleeves_of_a_side(traded, known):
    opened = traded.start - BAR_MS + BAR_MS * np.arange(60)
    for pair in known.pairs:
        columns = known.frame_columns(pair, opened)
        for row in np.flatnonzero(columns["quorate_opening"]).tolist():
            # None where the end of a dip takes out what was bought for it.
            for name in filter(None, columns["quorate_sleeves"][row].split(", ")):
                assert columns[f"quorate_{name}"][row] * columns["quorate_opening"][row] > 0
    other = known.frame_columns("NONE/USDT:USDT", opened)
    assert not any(column.any() for name, column in other.items() if name != "quorate_sleeves")


def test_moments_outside_the_panel_are_not_covered(traded, known):
    assert known.covers(traded.start)
    assert known.covers(traded.end)
    assert not known.covers(traded.end + BAR_MS)
    assert not known.covers(traded.start - 10_000 * BAR_MS)
    assert lookback_bars(traded.book) == 6 * traded.book.lookback_days
