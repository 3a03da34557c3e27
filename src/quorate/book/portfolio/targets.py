"""The book's decisions: target weights of the account at each moment, from those of the sleeves and what is held."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from quorate.book.panel.bar_grid import BAR_MS
from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.portfolio.adjustment import adjusted
from quorate.book.portfolio.limits import limited
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.clock import format_ms
from quorate.core.errors import BookError
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray


class BookTargets:
    """Target weights of one account over the moments of a panel.

    At the start of a day all weights are decided: the sleeves' sum within the limits, followed beyond the band. At
    other moments only what the sleeves by bar change is added to what is held.

    Args:
        panel: of all markets.
        weights: of the sleeves.
        settings: band, step and limits.

    Attributes:
        symbols: of the columns of all weights.
    """

    def __init__(self, panel: DailyPanel, weights: SleeveWeights, settings: BookSettings) -> None:
        self.symbols = panel.symbols
        self._settings = settings
        self._volume = panel.median_volume
        self._first = int(panel.grid.time[0])
        self._daily, self._bars = weights.daily_total(panel), weights.bar_total(panel)
        self._day = np.searchsorted(panel.moment, np.arange(len(self._bars)), side="right") - 1
        self._starts = np.zeros(len(self._bars), np.bool_)
        self._starts[panel.moment] = True
        changes = np.abs(np.diff(self._bars, axis=0, prepend=self._bars[:1])).sum(axis=1)
        self._due = (self._starts | (changes > 0)) & (self._day >= 0)

    def moments(self, start: int, end: int | None = None) -> tuple[int, ...]:
        """Moments in ms, from `start` on and before `end`, at which something is decided."""
        time = self._first + BAR_MS * np.flatnonzero(self._due)
        return tuple(time[(time >= start) & (time < (np.iinfo(np.int64).max if end is None else end))].tolist())

    @property
    def summed(self) -> FloatArray:
        """(B + 1, S) the weights of all sleeves at each moment of the grid, before the limits of an account."""
        return np.where(self._day[:, None] >= 0, self._daily[self._day] + self._bars, 0.0)

    @property
    def openings(self) -> FloatArray:
        """(B + 1, S) the side on which a market that is not held is opened at each moment of the grid; 0 for none.

        The limits of an account may leave nothing of it.
        """
        changes = np.diff(self._bars, axis=0, prepend=self._bars[:1])
        sides = np.sign(np.where(self._starts[:, None], self.summed, changes))
        return np.where(self._due[:, None], sides, 0.0)

    def wanted(self, moment: int, equity_usd: float) -> FloatArray:
        """(S,) the weights of all sleeves within the limits, whatever is held."""
        row = self._row(moment)
        day = self._day[row]
        return limited(self._daily[day] + self._bars[row], self._volume[day], equity_usd, self._settings)

    def at(self, moment: int, equity_usd: float, held: FloatArray) -> FloatArray | None:
        """(S,) weights to hold from a moment on; None where nothing is decided at it.

        Args:
            moment: ms, the close of a bar of 4 hours.
            equity_usd: of the account.
            held: (S,) weights at that close.

        Raises:
            BookError: a moment outside the panel.
        """
        row = self._row(moment)
        if not self._due[row]:
            return None
        settings = self._settings
        if self._starts[row]:
            return adjusted(self.wanted(moment, equity_usd), held, settings.band, settings.step)
        changed = held + self._bars[row] - self._bars[row - 1]
        return limited(changed, self._volume[self._day[row]], equity_usd, settings)

    def by_symbol(self, weights: FloatArray) -> dict[str, float]:
        """Symbol -> weight, without those of 0."""
        return {self.symbols[column]: float(weights[column]) for column in np.flatnonzero(weights)}

    def columns(self, held: Iterable[tuple[str, float]]) -> FloatArray:
        """(S,) weights from pairs of symbol and weight; markets outside the panel are left out."""
        place = {symbol: column for column, symbol in enumerate(self.symbols)}
        out = np.zeros(len(self.symbols))
        for symbol, weight in held:
            if symbol in place:
                out[place[symbol]] = weight
        return out

    def _row(self, moment: int) -> int:
        row, off = divmod(moment - self._first, BAR_MS)
        if off or not 0 <= row < len(self._bars) or self._day[row] < 0:
            raise BookError(
                "decide the weights of a book",
                found=f"the moment {format_ms(moment)}",
                expected="the close of a 4-hour bar of the panel, from its first day on",
            )
        return int(row)
