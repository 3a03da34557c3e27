"""The book's decisions: target weights of the account at each moment, from those of the sleeves and what is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    other moments what is held moves by what the sleeves by bar change, no farther than to their sum: the end of a dip
    takes nothing away that was never bought.

    Args:
        panel: of all markets.
        weights: of the sleeves.
        settings: band, step and limits.

    Attributes:
        symbols: of the columns of all weights.
        weights: of the sleeves.
    """

    def __init__(self, panel: DailyPanel, weights: SleeveWeights, settings: BookSettings) -> None:
        self.symbols, self.weights = panel.symbols, weights
        self._settings = settings
        self._volume = panel.median_volume
        self._first = int(panel.grid.time[0])
        self._daily, self._bars = weights.daily_total(panel), weights.bar_total(panel)
        self._day = panel.day_of_moment
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
        changes, wanted = np.sign(np.diff(self._bars, axis=0, prepend=self._bars[:1])), np.sign(self.summed)
        opened = np.where(self._starts[:, None] | (changes == wanted), wanted, 0.0)
        return np.where(self._due[:, None], opened, 0.0)

    def wanted(self, moment: int, equity_usd: float) -> FloatArray:
        """(S,) the weights of all sleeves within the limits, whatever is held."""
        row = self._row(moment)
        day = self._day[row]
        return limited(self._daily[day] + self._bars[row], self._volume[day], equity_usd, self._settings)

    def at(self, moment: int, equity_usd: float, held: FloatArray, *, whole: bool = False) -> FloatArray | None:
        """(S,) weights to hold from a moment on; None where nothing is decided at it.

        Args:
            moment: ms, the close of a bar of 4 hours.
            equity_usd: of the account.
            held: (S,) weights at that close.
            whole: decide all weights, also where the moment is not the start of a day.

        Raises:
            BookError: a moment outside the panel.
        """
        row = self._row(moment)
        if not (whole or self._due[row]):
            return None
        settings, wanted = self._settings, self.wanted(moment, equity_usd)
        if whole or self._starts[row]:
            return adjusted(wanted, held, settings.band, settings.step)
        change = self._bars[row] - self._bars[row - 1]
        moved = np.clip(held + change, np.minimum(held, wanted), np.maximum(held, wanted))
        return limited(np.where(change != 0, moved, held), self._volume[self._day[row]], equity_usd, settings)

    def after_bar(
        self, opened: int, equity_usd: float, held: Mapping[str, float], *, whole: bool = False
    ) -> dict[str, float] | None:
        """Symbol -> weight to hold after the close of a bar of 4 hours, without those of 0; None where none is decided.

        Args:
            opened: open time of the bar in ms.
            equity_usd: of the account at its close.
            held: symbol -> weight then; markets outside the panel are left out.
            whole: decide all weights, also where the bar does not end a day.

        Raises:
            BookError: a bar outside the panel.
        """
        decided = self.at(opened + BAR_MS, equity_usd, self.columns(held.items()), whole=whole)
        if decided is None:
            return None
        return {self.symbols[column]: float(decided[column]) for column in np.flatnonzero(decided)}

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
