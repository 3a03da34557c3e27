import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import DataError, UnknownSymbolError, UnknownTimeframeError
from quorate.market.columns import Columns
from quorate.market.files.freqtrade_folder import FreqtradeFolder, load_candles
from quorate.market.quality.candle_checks import check_candles
from quorate.market.synthetic import SyntheticMarket

NOW = parse_ms("2026-01-01")
ARRAYS = ("time", "open", "high", "low", "close", "volume")


def same(left, right):
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in ARRAYS)


def returns(candles):
    """Return of each bar on the close before it, which is its open."""
    return candles.close / candles.open - 1


def autocorrelation(values, lag=1):
    values = values - values.mean()
    return float(np.dot(values[:-lag], values[lag:]) / np.dot(values, values))


@pytest.fixture(scope="module")
def walk():
    """A random walk of 12 symbols and 6,000 bars."""
    return SyntheticMarket(seed=11, symbols=12, bars=6_000, edge=0.0)


@pytest.fixture(scope="module")
def trending():
    """The same size with an edge of a fifth of the variance."""
    return SyntheticMarket(seed=11, symbols=12, bars=6_000, edge=0.2)


def test_the_same_seed_makes_the_same_market():
    first, second, other = (SyntheticMarket(seed=seed, symbols=3, bars=400, edge=0.1) for seed in (5, 5, 6))
    for name in first.names:
        assert same(first.candles(name), second.candles(name))
        assert np.array_equal(first.funding(name).rate, second.funding(name).rate)
        assert not np.array_equal(first.candles(name).close, other.candles(name).close)


def test_more_symbols_and_more_bars_leave_the_earlier_ones_alone():
    small = SyntheticMarket(seed=5, symbols=2, bars=300, edge=0.2)
    large = SyntheticMarket(seed=5, symbols=4, bars=500, edge=0.2)
    for name in small.names:
        assert same(small.candles(name), large.candles(name)[:300])
        funding, more = small.funding(name), large.funding(name)
        assert np.array_equal(funding.rate, more.rate[: len(funding)])


def test_asking_in_another_order_changes_nothing():
    first, second = (SyntheticMarket(seed=5, symbols=3, bars=200) for _ in range(2))
    forward = [first.candles(name) for name in first.names]
    backward = [second.candles(name) for name in reversed(second.names)]
    assert all(same(left, right) for left, right in zip(forward, reversed(backward), strict=True))


@settings(max_examples=25)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["1m", "5m", "1h", "4h", "1d", "1w"]),
    st.integers(1, 400),
    st.floats(0, 0.6),
)
def test_every_candle_can_be_true(seed, timeframe, bars, edge):
    market = SyntheticMarket(
        seed=seed, symbols=2, bars=bars, timeframe=timeframe, edge=edge, start=parse_ms("2012-01-01")
    )
    for candles in market.panel().values():
        columns = Columns(**{name: getattr(candles, name) for name in ARRAYS})
        report = check_candles(columns, timeframe, NOW).report
        assert report.ok
        assert (report.kept, report.gaps, report.zero_volume) == (bars, 0, 0)
        assert np.array_equal(candles.open[1:], candles.close[:-1])
        assert candles.synthetic


def test_volatility_clusters(walk):
    for candles in walk.panel().values():
        size = np.abs(returns(candles))
        # 1.96 / sqrt(6000) = 0.025 would be chance.
        assert autocorrelation(size, 1) > 0.1
        assert autocorrelation(size, 24) > 0.05


def test_symbols_move_together(walk):
    moves = np.corrcoef([returns(candles) for candles in walk.panel().values()])
    apart = moves[~np.eye(len(moves), dtype=bool)]
    assert 0.3 < apart.mean() < 0.7
    assert apart.min() > 0.2


def test_jumps_fatten_the_tails(walk):
    for name in walk.names:
        values = returns(walk.candles(name))
        values = values / values.std()
        assert (values**4).mean() > 4.5  # 3 for a normal
        assert np.abs(values).max() > 5


def test_a_random_walk_has_no_memory_of_direction(walk):
    """Lags 1 to 12 of 12 correlated symbols: under a martingale difference each t value is about standard normal.

    The standard error is the one of returns that cluster, sum(r[t]^2 r[t+lag]^2) (Lo and MacKinlay, 1988).
    """
    values = []
    for candles in walk.panel().values():
        r = returns(candles)
        for lag in range(1, 13):
            now, later = r[:-lag], r[lag:]
            values.append(np.dot(now, later) / np.sqrt(np.dot(now**2, later**2)))
    values = np.array(values)
    assert np.abs(values).max() < 4.5
    assert np.mean(np.abs(values) < 1.96) > 0.88
    assert abs(values.mean()) < 0.5


def test_a_random_walk_expects_nothing(walk):
    for name in walk.names:
        assert not walk.expected_return(name).any()
        r = returns(walk.candles(name))
        assert abs(r.mean()) < 4 * r.std() / np.sqrt(len(r))


@pytest.mark.parametrize("edge", [0.05, 0.2, 0.5])
def test_the_planted_edge_has_the_stated_size(edge):
    market = SyntheticMarket(seed=3, symbols=16, bars=6_000, edge=edge)
    shares, slopes = [], []
    for name in market.names:
        expected, r = market.expected_return(name), returns(market.candles(name))
        states = np.unique(np.sign(expected))
        assert states.tolist() == [-1.0, 0.0, 1.0]
        # The bar's volatility, where the trend is on: |expected| = sigma sqrt(1.5 edge).
        on = expected != 0
        sigma = np.abs(expected[on]) / np.sqrt(1.5 * edge)
        slopes.append(np.dot(expected[on], r[on]) / np.dot(expected[on], expected[on]))
        # In units of sigma the trend's variance is 1.5 edge while on; the noise's is 1 - edge.
        shares.append(np.var((r[on] - expected[on]) / sigma))
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.05)
    assert np.mean(shares) == pytest.approx(1 - edge, rel=0.05)


def test_a_trend_lasts_and_shows_in_momentum(trending):
    """The sign of the last 24 bars' move predicts the next five bars; in the random walk it does not."""
    hits = []
    for name in trending.names:
        close = trending.candles(name).close
        past, future = close[24:-5] / close[:-29] - 1, close[29:] / close[24:-5] - 1
        hits.append(np.mean(np.sign(past) == np.sign(future)))
        state = np.sign(trending.expected_return(name))
        lasting = len(state) / (1 + np.count_nonzero(np.diff(state)))
        assert 45 < lasting < 180  # 90 expected
    assert np.mean(hits) > 0.58


def test_volume_follows_volatility(walk):
    for candles in walk.panel().values():
        reach = np.log(candles.high / candles.low)
        assert np.corrcoef(np.log(candles.volume), np.log(reach))[0, 1] > 0.4


def test_high_and_low_reach_as_far_as_a_brownian_path_would(walk):
    """Parkinson: E[ln(high/low)^2] = 4 ln 2 sigma^2, so that both estimates of the variance agree but for jumps.

    High and low drawn apart from each other reach 8 % further than together.
    """
    ratios = []
    for candles in walk.panel().values():
        calm = np.abs(returns(candles)) < 4 * returns(candles).std()
        parkinson = (np.log(candles.high / candles.low) ** 2)[calm].mean() / (4 * np.log(2))
        ratios.append(parkinson / (returns(candles)[calm] ** 2).mean())
    assert 1.0 < np.mean(ratios) < 1.15


def test_funding_comes_every_eight_hours():
    market = SyntheticMarket(seed=1, symbols=2, bars=1_000, start=parse_ms("2024-01-01 05:00"))
    funding = market.funding("SYNA/USDT:USDT")
    assert funding.time[0] == parse_ms("2024-01-01 08:00")
    assert set(np.diff(funding.time).tolist()) == {8 * HOUR_MS}
    assert funding.time[-1] < market.candles("SYNA/USDT:USDT").time[-1] + HOUR_MS
    assert np.abs(funding.rate).max() <= 0.0075
    assert -0.001 < funding.rate.mean() < 0.001
    assert len(market.funding("SYNA/USDT:USDT", funding.time[3], funding.time[5])) == 2


def test_a_written_market_is_a_freqtrade_folder_that_says_what_it_is(tmp_path):
    market = SyntheticMarket(seed=2, symbols=3, bars=300, edge=0.2)
    assert [stored.changed for stored in market.write(tmp_path)] == [True] * 6
    assert [stored.changed for stored in market.write(tmp_path)] == [False] * 6
    folder = FreqtradeFolder(tmp_path)
    assert folder.symbols("1h", perpetual=True) == market.names
    for name in market.names:
        candles = load_candles(tmp_path, name, "1h")
        assert candles.synthetic
        assert same(candles, market.candles(name))
        assert np.array_equal(folder.funding(name).rate, market.funding(name).rate)


def test_bars_open_on_the_grid():
    assert SyntheticMarket(bars=2, start=parse_ms("2024-01-03 13:59")).candles("SYNA/USDT:USDT").time[0] == parse_ms(
        "2024-01-03 13:00"
    )
    weekly = SyntheticMarket(bars=2, timeframe="1w", start=parse_ms("2024-01-03")).candles("SYNA/USDT:USDT")
    assert weekly.time[0] == parse_ms("2024-01-01")


@pytest.mark.parametrize(
    ("argument", "value"), [("edge", 0.7), ("edge", float("nan")), ("bars", 0), ("symbols", 0), ("seed", -1)]
)
def test_arguments_out_of_range(argument, value):
    with pytest.raises(DataError, match=f"`{argument}` = "):
        SyntheticMarket(**{argument: value})


def test_what_is_not_in_the_market():
    market = SyntheticMarket(symbols=2, bars=5)
    with pytest.raises(UnknownSymbolError, match="Did you mean 'SYNB/USDT:USDT'"):
        market.candles("SYNB/USDT")
    with pytest.raises(UnknownTimeframeError, match="found only 1h; expected 4h"):
        market.candles("SYNA/USDT:USDT", "4h")
