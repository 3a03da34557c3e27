"""Forecasts of both bundles on a bar, from the journals of their accounts, and their log-losses.

A bundle's forecast of a market is its ensemble's calibrated probabilities, or the weighted mean of its members' scores
where it has none. A bundle that has no vote forecasts the class shares of its training; a market without a vote of
either bundle is left out. Probabilities are raised to a floor and scaled to 1 again, so that the loss of no bar is
unlimited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Candles, FloatArray
from quorate.ensemble.inference import Predictor
from quorate.ensemble.voting.mean_scores import mean_vote
from quorate.targets.labels import Target
from quorate.trading.journal import DecidedRecord, Journal, MaturedBar, Search

# Keys that are looked for at once.
_KEYS = 200


@dataclass(frozen=True, slots=True, eq=False)
class BarForecasts:
    """Probabilities of SELL, HOLD and BUY on one bar.

    Attributes:
        time: its open time in ms.
        symbols: the n markets that at least one bundle voted in.
        champion, challenger: (n, 3) float64, each row adds up to 1.
    """

    time: int
    symbols: tuple[str, ...]
    champion: FloatArray
    challenger: FloatArray

    @property
    def bound(self) -> float:
        """Of the absolute difference of the log-losses, mean over the markets, whatever the outcome is."""
        if not self.symbols:
            return 0.0
        apart = np.abs(np.log(self.champion) - np.log(self.challenger))
        return float(apart.max(axis=1).mean())

    def matured(self, candles: Mapping[str, Candles], target: Target) -> MaturedBar:
        """The log-losses, as far as the labels are known.

        Args:
            candles: market -> closed candles up to now.
            target: what was predicted.
        """
        losses = np.zeros((2, len(self.symbols)))
        known = 0
        for row, symbol in enumerate(self.symbols):
            label = _label(candles.get(symbol), self.time, target)
            if label is not None:
                known += 1
                losses[:, row] = -np.log(self.champion[row, label]), -np.log(self.challenger[row, label])
        champion, challenger = losses.mean(axis=1).tolist()
        return MaturedBar(self.time, known, champion, challenger)


class ForecastReader:
    """Reads the forecasts of two accounts.

    Args:
        journals: of champion and challenger.
        bundles: that decide in them.
        symbols: the markets.
        least: floor of a probability.
    """

    def __init__(
        self,
        journals: tuple[Journal, Journal],
        bundles: tuple[Predictor, Predictor],
        symbols: Sequence[str],
        least: float,
    ) -> None:
        self._journals, self._bundles, self._symbols, self._least = journals, bundles, tuple(symbols), least

    def at(self, time: int) -> BarForecasts:
        """The forecasts on the bar that opens at `time` ms.

        Raises:
            JournalError: a journal that cannot be read.
        """
        found = [
            _forecasts(journal, self._symbols, time, bundle.manifest.policy)
            for journal, bundle in zip(self._journals, self._bundles, strict=True)
        ]
        symbols = tuple(symbol for symbol in self._symbols if symbol in found[0] or symbol in found[1])
        tables = []
        for forecasts, bundle in zip(found, self._bundles, strict=True):
            prior = bundle.prior_at(np.array([time], np.int64)).reshape(-1, 3)[0]
            table = np.array([forecasts.get(symbol, prior) for symbol in symbols], np.float64).reshape(-1, 3)
            tables.append(floored(table, self._least))
        return BarForecasts(time, symbols, *tables)


def floored(probabilities: FloatArray, least: float) -> FloatArray:
    """(n, 3) probabilities mixed with equal ones, so that none is below `least`, in proportion above it.

    >>> floored(np.array([[0.0, 0.5, 0.5]]), 0.01).round(3).tolist()
    [[0.01, 0.495, 0.495]]
    """
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    return np.asarray(least + (1 - shares.shape[1] * least) * shares)


def _forecasts(
    journal: Journal, symbols: Sequence[str], time: int, policy: VoteSettings
) -> dict[str, tuple[float, float, float]]:
    """Market -> probabilities; markets without a vote are left out."""
    found = {}
    for record in _decided(journal, symbols, time):
        probabilities = record.probabilities or mean_vote(record.votes, policy)
        if record.votes and probabilities is not None:
            found[record.symbol] = probabilities
    return found


def _decided(journal: Journal, symbols: Sequence[str], time: int) -> Iterator[DecidedRecord]:
    keys = [f"{DecidedRecord.kind}:{symbol}:{time}" for symbol in symbols]
    for first in range(0, len(keys), _KEYS):
        for entry in journal.matching(Search([DecidedRecord], keys=keys[first : first + _KEYS])):
            if isinstance(entry.record, DecidedRecord):
                yield entry.record


def _label(candles: Candles | None, time: int, target: Target) -> int | None:
    """Class of a market's bar; None where a bar of its horizon is missing."""
    if candles is None:
        return None
    later = candles.between(time)
    if not len(later) or later.time[0] != time:
        return None
    labels = target.label(later)
    return int(labels.y[0]) if labels.known[0] else None
