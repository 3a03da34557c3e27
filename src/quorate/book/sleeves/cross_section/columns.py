"""Trend columns of the cross-section, ranked across the markets of each day."""

from __future__ import annotations

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.decayed import decayed_deviation, decayed_mean, half_life, span
from quorate.book.panel.ranks import centred_ranks
from quorate.book.panel.rolling import (
    rolling_covariance,
    rolling_highest,
    rolling_mean,
    rolling_median,
    rolling_sum,
)
from quorate.book.sleeves.learned import SleeveRows
from quorate.book.sleeves.measures import average_gap, channel_position, scaled_return
from quorate.core.types import BoolArray, FloatArray

_RETURNS = (1, 2, 3, 5, 7, 14, 21, 28, 42, 56, 90)
_RESIDUALS = (3, 7, 14, 28, 56)
_CHANNELS = (10, 20, 40, 60, 90)
_AVERAGES = ((2, 8), (4, 16), (8, 32))
_VOLUMES = (1, 3, 7, 21)
_FLOWS = (7, 28)

#: Days of the longest column.
LONGEST = 90

#: Names of the columns, in order.
COLUMNS = (
    *(f"return_{days}d" for days in _RETURNS),
    *(f"residual_{days}d" for days in _RESIDUALS),
    *(f"channel_{days}d" for days in _CHANNELS),
    *(f"average_gap_{fast}_{slow}d" for fast, slow in _AVERAGES),
    *("below_high_90d", "rsi_14d", "macd_12_26_9d"),
    *(f"signed_volume_{days}d" for days in _FLOWS),
    *(f"volume_{days}d" for days in _VOLUMES),
)


def ranked_rows(panel: DailyPanel, among: BoolArray, first: int = 0) -> SleeveRows:
    """The columns of every market of the universe on each day, ranked across them.

    Args:
        panel: of all markets.
        among: (D, S) the universe.
        first: day from which on rows are made.
    """
    among = among[first:]
    day, market = np.nonzero(among)
    X = np.zeros((len(day), len(COLUMNS)), np.float32)
    for number, values in enumerate(_columns(panel)):
        rank = centred_ranks(values[first:], among)[day, market]
        X[:, number] = np.where(np.isfinite(rank), rank, 0.0)
    return SleeveRows(day + first, market, X)


def _columns(panel: DailyPanel) -> list[FloatArray]:
    """(D, S) of each of `COLUMNS`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            *(scaled_return(panel, days) for days in _RETURNS),
            *_residual_returns(panel),
            *(channel_position(panel, days) for days in _CHANNELS),
            *(average_gap(panel, fast, slow) for fast, slow in _AVERAGES),
            np.log(panel.close / rolling_highest(panel.close, LONGEST, 40)) / panel.volatility,
            _rsi(panel.log_return),
            _macd(panel),
            *_signed_volume(panel),
            *_volume(panel),
        ]


def _residual_returns(panel: DailyPanel) -> list[FloatArray]:
    """Returns less the leader's times the market's beta, in units of their own deviation."""
    leader = np.broadcast_to(panel.log_return[:, [panel.leader]], panel.log_return.shape)
    # The variance of the leader's own rows, as known to it: a market listed later has fewer rows in the covariance.
    beta = rolling_covariance(panel.log_return, leader, 60, 30) / rolling_covariance(leader, leader, 60, 30)
    residual = panel.log_return - beta * leader
    deviation = decayed_deviation(residual, half_life(15), 20)
    return [rolling_sum(residual, days) / (deviation * np.sqrt(days)) for days in _RESIDUALS]


def _rsi(log_return: FloatArray) -> FloatArray:
    """Wilder's relative strength of daily log returns, from 0 to 1."""
    decay = 1 - 1 / 14
    up = decayed_mean(np.maximum(log_return, 0.0), decay, 14)
    down = decayed_mean(np.maximum(-log_return, 0.0), decay, 14)
    return up / (up + down)


def _macd(panel: DailyPanel) -> FloatArray:
    """Histogram of the moving average convergence divergence of the log close, in units of volatility."""
    log_close = np.log(panel.close)
    line = decayed_mean(log_close, span(12)) - decayed_mean(log_close, span(26))
    return (line - decayed_mean(line, span(9))) / panel.volatility


def _signed_volume(panel: DailyPanel) -> list[FloatArray]:
    """Dollar volume of rising days less that of falling ones, over all of it."""
    signed = np.sign(panel.log_return) * panel.dollar_volume
    return [rolling_sum(signed, days) / rolling_sum(panel.dollar_volume, days) for days in _FLOWS]


def _volume(panel: DailyPanel) -> list[FloatArray]:
    """Log of recent dollar volume over its median of 60 days."""
    usual = rolling_median(panel.dollar_volume, 60, 30)
    return [np.log(rolling_mean(panel.dollar_volume, days) / usual) for days in _VOLUMES]
