"""The weights of a book over the candles that are known, as decisions and as columns of Freqtrade's frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.book.bundle import Book
from quorate.book.panel.bar_grid import BAR_MS
from quorate.book.panel.daily_panel import DAY_BARS, DailyPanel
from quorate.book.panel.rolling import carried_forward
from quorate.book.portfolio.targets import BookTargets
from quorate.core.types import FloatArray, IntArray
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX
from quorate.workflows.book.markets import BookMarkets

# The last bits of the forecasts depend on the number of rows in a batch.
_DIGITS = 6


class KnownWeights:
    """Weights of a book at every moment of its panel.

    Args:
        book: that decides.
        markets: candles and funding of the pairs that may be held.

    Attributes:
        pairs: of the panel, sorted.

    Raises:
        DataError: candles that a book cannot use.
    """

    def __init__(self, book: Book, markets: BookMarkets) -> None:
        settings = book.manifest.settings
        panel = DailyPanel.of(markets.candles, markets.funding, settings)
        weights = book.weights(panel)
        self.pairs = panel.symbols
        self._targets = BookTargets(panel, weights, settings)
        self._columns = {pair: number for number, pair in enumerate(panel.symbols)}
        self._first, self._first_day = int(panel.grid.time[0]), int(panel.time[0])
        self._closes = carried_forward(panel.grid.known_close)
        self._openings, self._summed = self._targets.openings, self._targets.summed
        by_bar = {name: panel.by_moment(part) for name, part in weights.daily.items()}
        self._sleeves: Mapping[str, FloatArray] = {**by_bar, **weights.by_bar}

    def covers(self, moment: int) -> bool:
        """Whether a moment, the close of a bar of 4 hours, is one at which the book can decide."""
        return self._first_day <= moment <= self._first + BAR_MS * (len(self._closes) - 1)

    def closes(self, moment: int) -> dict[str, float]:
        """Pair -> its last close up to a moment; pairs without one are left out."""
        row = (moment - self._first) // BAR_MS
        known = self._closes[min(max(row, 0), len(self._closes) - 1)]
        return {pair: float(price) for pair, price in zip(self.pairs, known, strict=True) if np.isfinite(price)}

    def decide(
        self, moment: int, equity: float, held: Mapping[str, float], *, whole: bool = False
    ) -> dict[str, float] | None:
        """Quantities to hold from a moment on.

        Args:
            moment: ms, covered.
            equity: of the account at that moment, above 0.
            held: pair -> signed quantity in base units.
            whole: decide all weights, also where the moment is not the start of a day.

        Returns:
            Pair -> signed quantity in base units, 0 to close; pairs that stay as they are are left out. None where
            nothing is decided at the moment.
        """
        closes = self.closes(moment)
        weights = self._targets.columns(
            (pair, quantity * closes[pair] / equity) for pair, quantity in held.items() if pair in closes
        )
        target = self._targets.at(moment, equity, weights, whole=whole)
        if target is None:
            return None
        changed = np.flatnonzero((target != weights) & np.isfinite(target))
        return {
            self.pairs[column]: float(target[column]) * equity / closes[self.pairs[column]]
            for column in changed
            if self.pairs[column] in closes
        }

    def frame_columns(self, pair: str, opened: IntArray) -> dict[str, npt.NDArray[Any]]:
        """Columns of a pair's frame.

        Args:
            pair: of the frame.
            opened: (n,) open times of its bars in ms.

        Returns:
            name -> (n,): `quorate_weight`, the weight of all sleeves at the bar's close before the limits of an
            account; `quorate_opening`, the side on which the pair may be opened then; `quorate_sleeves`, the names of
            the sleeves on that side; and `quorate_NAME` of each sleeve, its part. 0 outside the panel.
        """
        row = (opened + BAR_MS - self._first) // BAR_MS
        column = self._columns.get(pair)
        inside = (row >= 0) & (row < len(self._closes)) & (column is not None)
        row, at = np.where(inside, row, 0), column or 0

        def of(values: FloatArray) -> FloatArray:
            return np.where(inside, np.round(values[row, at], _DIGITS), 0.0)

        parts = {name: of(values) for name, values in self._sleeves.items()}
        side = of(self._openings)
        names = np.full(len(row), "", dtype=object)
        for index in np.flatnonzero(side).tolist():
            names[index] = ", ".join(name for name, part in parts.items() if part[index] * side[index] > 0)
        return {
            f"{PREFIX}weight": of(self._summed),
            f"{PREFIX}opening": side.astype(np.int64),
            f"{PREFIX}sleeves": names,
            **{f"{PREFIX}{name}": part for name, part in parts.items()},
        }


def lookback_bars(book: Book) -> int:
    """Bars of 4 hours before a moment that a book needs to decide at it."""
    return book.lookback_days * DAY_BARS
