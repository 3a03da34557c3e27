"""Synthetic market: candles and funding generated from a seed, for the demo and for tests.

Returns are simple returns. With `h` the market's and `g` a symbol's own AR(1) log-volatility, `q` a market-wide
regime (calm, usual, stormy) and `b` a symbol's size of move, the volatility of bar t is known before it opens:

    sigma[t] = b * regime[q[t]] * exp(0.35 h[t] + 0.20 g[t])

Noise `z` has mean 0 and variance 1 given the past: a factor common to all symbols, a part of each symbol, and rare
jumps of either sign. Each symbol also has a hidden trend s[t] of -1, 0 or +1, known before the bar opens: with
probability SWITCH per bar it is drawn again, uniformly, so that a trend lasts 1.5 / SWITCH bars on average:

    r[t] = sigma[t] * (sqrt(1.5 * edge) * s[t] + sqrt(1 - edge) * z[t])

As E[s^2] = 2/3, the trend explains exactly the share `edge` of the variance of r / sigma. After some bars of a trend,
momentum features (price against its averages, RSI, MACD) reveal its state. With edge 0 the returns are a martingale
difference: nothing known before a bar predicts the sign or the mean of its return.

High and low are draws of the extremes of a Brownian bridge from open to close (its maximum is
(o + c + sqrt((c - o)^2 - 2 v ln U)) / 2 in logs, v the variance and U uniform: Glasserman, Monte Carlo Methods in
Financial Engineering, 2003, section 6.4), each exact and the two independent given open and close. Volume follows
volatility and the size of the move.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from quorate.core.clock import HOUR_MS, bar_offset_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types import Candles, FloatArray, Funding, IntArray
from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.names import is_perpetual
from quorate.market.files.stored import Stored
from quorate.market.source import unknown_market

# Hourly volatility of the middle symbol; other timeframes scale with the square root of time.
_HOURLY_VOLATILITY = 0.006
_REGIMES = np.array([0.6, 1.0, 1.9])
_REGIME_SWITCH = 1 / 120
_MARKET_PERSISTENCE, _OWN_PERSISTENCE = 0.97, 0.93
_MARKET_SHARE = 0.5  # of the noise's variance
_JUMP_CHANCE, _JUMP_SIZE = 0.003, 5.0  # size in standard deviations
_NOISE_VARIANCE = 1 + _JUMP_CHANCE * _JUMP_SIZE**2
_LARGEST_RETURN, _LARGEST_VOLATILITY = 0.5, 0.05

#: Probability per bar that a symbol's trend is drawn again.
SWITCH = 1 / 60

_FUNDING_MS = 8 * HOUR_MS
_USUAL_FUNDING, _MOST_FUNDING = 0.0001, 0.0075


class SyntheticMarket:
    """A `CandleSource` of generated perpetuals with synthetic names: SYNA/USDT:USDT, SYNB/USDT:USDT, ...

    The same arguments give the same candles. More symbols or more bars do not change the earlier ones.

    Args:
        seed: of all random numbers.
        symbols: number of markets.
        bars: per market.
        timeframe: of the bars.
        start: open time of the first bar in ms UTC, rounded down to the timeframe; default 2024-01-01.
        edge: share of the returns' variance that the hidden trend explains, 0 to 0.6; 0 is a random walk.

    Raises:
        DataError: an argument out of range.

    >>> market = SyntheticMarket(seed=1, symbols=2, bars=100)
    >>> market.names
    ('SYNA/USDT:USDT', 'SYNB/USDT:USDT')
    >>> len(market.candles("SYNA/USDT:USDT")), market.candles("SYNA/USDT:USDT").synthetic
    (100, True)
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        symbols: int = 8,
        bars: int = 2160,
        timeframe: str = "1h",
        start: int = 1_704_067_200_000,
        edge: float = 0.0,
    ) -> None:
        for name, value, low, high in (
            ("seed", seed, 0, 2**63 - 1),
            ("symbols", symbols, 1, 2_000),
            ("bars", bars, 1, 1_000_000),
            ("edge", edge, 0, 0.6),
            ("start", start, 1, 4_102_444_800_000),
        ):
            if not low <= value <= high:
                raise DataError(
                    "generate a synthetic market",
                    found=f"`{name}` = {value!r}",
                    expected=f"a value from {low} to {high}",
                )
        length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
        self.seed, self.bars, self.timeframe, self.edge = seed, bars, timeframe, edge
        self.names: tuple[str, ...] = tuple(f"SYN{_letters(number)}/USDT:USDT" for number in range(symbols))
        self._time: IntArray = (start - offset) // length * length + offset + length * np.arange(bars, dtype=np.int64)
        self._candles: dict[str, Candles] = {}

    def __repr__(self) -> str:
        return (
            f"SyntheticMarket(seed={self.seed}, symbols={len(self.names)}, bars={self.bars}, "
            f"timeframe={self.timeframe!r}, start={int(self._time[0])}, edge={self.edge})"
        )

    def symbols(self, timeframe: str | None = None, perpetual: bool | None = None) -> tuple[str, ...]:
        """The symbols, sorted, if the market has this timeframe; all are perpetuals."""
        if timeframe is not None and timeframe_ms(timeframe) != timeframe_ms(self.timeframe):
            return ()
        return tuple(sorted(name for name in self.names if perpetual in (None, is_perpetual(name))))

    def candles(
        self, symbol: str, timeframe: str | None = None, start: int | None = None, end: int | None = None
    ) -> Candles:
        """The symbol's candles, marked synthetic.

        Raises:
            UnknownSymbolError, UnknownTimeframeError: not in this market.
        """
        self._require(symbol, timeframe)
        if symbol not in self._candles:
            self._candles[symbol] = self._make(self.names.index(symbol))
        return self._candles[symbol].between(start, end)

    def mark(
        self, symbol: str, timeframe: str | None = None, start: int | None = None, end: int | None = None
    ) -> Candles | None:
        """None: there is no index price, and the last price serves as mark price."""
        self._require(symbol, timeframe)
        del start, end
        return None

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """Settlements every 8 hours, computed from the bars before each: after a rise, longs pay more."""
        candles = self.candles(symbol)
        first, last = int(candles.time[0]), int(candles.time[-1]) + timeframe_ms(self.timeframe)
        time = np.arange(-(-first // _FUNDING_MS) * _FUNDING_MS, last, _FUNDING_MS, dtype=np.int64)
        bars = np.searchsorted(candles.time, time)  # bars closed by then
        window = max(1, 24 * HOUR_MS // timeframe_ms(self.timeframe))
        newest, oldest = np.maximum(bars - 1, 0), np.maximum(bars - 1 - window, 0)
        trailing = candles.close[newest] / candles.close[oldest] - 1
        noise = self._stream(self.names.index(symbol), "funding").standard_normal(len(time))
        rate = np.clip(_USUAL_FUNDING * (1 + noise) + 0.005 * trailing, -_MOST_FUNDING, _MOST_FUNDING)
        rows = slice(
            0 if start is None else int(np.searchsorted(time, start)),
            None if end is None else int(np.searchsorted(time, end)),
        )
        return Funding(symbol, time[rows], rate[rows])

    def panel(self) -> dict[str, Candles]:
        """Symbol -> candles, of all symbols."""
        return {name: self.candles(name) for name in self.names}

    def expected_return(self, symbol: str) -> FloatArray:
        """Conditional mean of each bar's return given all earlier bars: the part of the hidden trend.

        Returns:
            (n,) float64, fractions: an upper bound for any model. All 0 without an edge.
        """
        self._require(symbol, None)
        number = self.names.index(symbol)
        expected: FloatArray = self._volatility(number) * np.sqrt(1.5 * self.edge) * self._trend(number)
        return expected

    def write(self, folder: Path | str) -> tuple[Stored, ...]:
        """Write candles and funding as a Freqtrade folder; all files are marked synthetic."""
        written: list[Stored] = []
        for name in self.names:
            written.append(write_candles(folder, self.candles(name)))
            funding = self.funding(name)
            if funding is not None:
                written.append(write_funding(folder, funding, synthetic=True))
        return tuple(written)

    def _make(self, number: int) -> Candles:
        sigma = self._volatility(number)
        noise = np.sqrt(1 - self.edge) * self._noise(number)
        returns = np.clip(sigma * noise, -_LARGEST_RETURN, _LARGEST_RETURN) + self.expected_return(self.names[number])
        first_price = 10.0 ** self._stream(number, "price").uniform(-2, 4)
        close = first_price * np.cumprod(1 + returns)
        opening = np.concatenate(([first_price], close[:-1]))
        high, low = self._extremes(number, opening, close, sigma)
        volume = self._volume(number, first_price, sigma, returns)
        return Candles(
            self.names[number], self.timeframe, self._time, opening, high, low, close, volume, synthetic=True
        )

    def _extremes(
        self, number: int, opening: FloatArray, close: FloatArray, sigma: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        move = np.log(close / opening)
        reach = -2 * sigma**2 * (1 - self.edge) / _NOISE_VARIANCE
        up, down = self._stream(number, "high"), self._stream(number, "low")
        # 1 - U keeps the logarithm's argument above 0.
        above = (move + np.sqrt(move**2 + reach * np.log(1 - up.random(self.bars)))) / 2
        below = (move - np.sqrt(move**2 + reach * np.log(1 - down.random(self.bars)))) / 2
        high = np.maximum(opening * np.exp(above), np.maximum(opening, close))
        low = np.minimum(opening * np.exp(below), np.minimum(opening, close))
        return high, low

    def _volume(self, number: int, price: float, sigma: FloatArray, returns: FloatArray) -> FloatArray:
        stream = self._stream(number, "volume")
        hourly_quote = 10.0 ** stream.uniform(5, 8) * timeframe_ms(self.timeframe) / HOUR_MS
        usual = self._scale(number)
        activity = (sigma / usual) * (0.6 + 0.5 * np.abs(returns) / sigma)
        volume: FloatArray = hourly_quote / price * activity * np.exp(0.35 * stream.standard_normal(self.bars))
        return volume

    def _noise(self, number: int) -> FloatArray:
        """(n,) noise of mean 0 and variance 1 given the past."""
        own = self._stream(number, "noise").standard_normal(self.bars)
        jumps = self._stream(number, "jumps").random(self.bars) < _JUMP_CHANCE
        jump = _JUMP_SIZE * jumps * self._stream(number, "jump sizes").standard_normal(self.bars)
        noise = np.sqrt(_MARKET_SHARE) * self._factor + np.sqrt(1 - _MARKET_SHARE) * own + jump
        scaled: FloatArray = noise / np.sqrt(_NOISE_VARIANCE)
        return scaled

    def _trend(self, number: int) -> FloatArray:
        return self._chain(number, "trend", 3, SWITCH).astype(np.float64) - 1

    def _scale(self, number: int) -> float:
        hours = timeframe_ms(self.timeframe) / HOUR_MS
        return float(_HOURLY_VOLATILITY * np.sqrt(hours) * self._stream(number, "scale").uniform(0.8, 1.4))

    def _volatility(self, number: int) -> FloatArray:
        own = self._autoregression(self._stream(number, "volatility"), _OWN_PERSISTENCE)
        sigma = self._scale(number) * self._market_volatility * np.exp(0.20 * own)
        return np.asarray(np.minimum(sigma, _LARGEST_VOLATILITY), dtype=np.float64)

    @cached_property
    def _factor(self) -> FloatArray:
        return self._stream(None, "factor").standard_normal(self.bars)

    @cached_property
    def _market_volatility(self) -> FloatArray:
        regime = self._chain(None, "regime", len(_REGIMES), _REGIME_SWITCH)
        log_volatility = self._autoregression(self._stream(None, "volatility"), _MARKET_PERSISTENCE)
        volatility: FloatArray = _REGIMES[regime] * np.exp(0.35 * log_volatility)
        return volatility

    def _chain(self, number: int | None, name: str, states: int, switch: float) -> IntArray:
        """(n,) states of a Markov chain that is drawn again, uniformly, with probability `switch` per bar."""
        drawn = self._stream(number, name).integers(0, states, self.bars)
        anew = self._stream(number, f"{name} switch").random(self.bars) < switch
        anew[0] = True
        chain: IntArray = drawn[np.maximum.accumulate(np.where(anew, np.arange(self.bars), 0))]
        return chain

    def _autoregression(self, stream: np.random.Generator, persistence: float) -> FloatArray:
        """(n,) AR(1) of variance 1, from its stationary distribution."""
        shocks = stream.standard_normal(self.bars)
        values = shocks.tolist()
        scale = float(np.sqrt(1 - persistence**2))
        for bar in range(1, self.bars):
            values[bar] = persistence * values[bar - 1] + scale * values[bar]
        return np.array(values)

    def _stream(self, number: int | None, name: str) -> np.random.Generator:
        """Independent random numbers for one quantity of one symbol (None: of the market)."""
        symbol = 0 if number is None else number + 1
        return np.random.default_rng([self.seed, symbol, *name.encode()])

    def _require(self, symbol: str, timeframe: str | None) -> None:
        known = timeframe is None or timeframe_ms(timeframe) == timeframe_ms(self.timeframe)
        if symbol not in self.names or not known:
            raise unknown_market("a synthetic market", symbol, timeframe, [(n, self.timeframe) for n in self.names])


def _letters(number: int) -> str:
    """Letters of a number: 0 is A, 25 is Z, 26 is AA.

    >>> [_letters(number) for number in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    text = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        text = ascii_uppercase[letter] + text
    return text
