"""Requirements of every sleeve: weights of the right shape, finite, causal, and none without its data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.settings import BookSettings
from quorate.core.types import BoolArray, Candles, FloatArray, Funding
from quorate.market.synthetic import SyntheticMarket
from quorate.testing.contract_check import Check, Subject

# Days of the reference market, and that of the truncation: every window of the built-in sleeves is full before it.
_DAYS, _CUT = 260, 220

_SETTINGS = BookSettings(markets=8, carry_markets=8)


class SleeveUnderTest(Subject):
    """A sleeve over a synthetic market of ten perpetuals.

    Args:
        title: its name in messages.
        build: makes the sleeve from settings of the book: its class.
    """

    def __init__(self, title: str, build: Callable[[BookSettings], Sleeve]) -> None:
        super().__init__(title)
        self.sleeve = build(_SETTINGS)

    def weights(
        self, days: int = _DAYS, *, funding: bool = True, longer: bool = False
    ) -> tuple[FloatArray, DailyPanel]:
        """Its weights over so many days, and the panel.

        Args:
            days: of the market.
            funding: whether the settlements are known.
            longer: whether the whole market is known instead.
        """
        market = SyntheticMarket(seed=11, symbols=10, bars=6 * _DAYS, timeframe="4h", edge=0.05)
        first = int(market.candles(market.names[0]).time[0])
        end = first + days * 86_400_000
        candles: dict[str, Candles] = {}
        settled: dict[str, Funding | None] = {}
        for name in market.names:
            candles[name] = market.candles(name) if longer else market.candles(name, end=end)
            own = market.funding(name, end=None if longer else end + 1)
            settled[name] = own if funding else None
        panel = DailyPanel.of(candles, settled, _SETTINGS)
        if not isinstance(self.sleeve, LearnedSleeve):
            return self.sleeve.weights(panel), panel
        return self.sleeve.combined(panel, self._forecasts(panel)), panel

    def _forecasts(self, panel: DailyPanel) -> dict[str, FloatArray]:
        """Forecasts that all members agree on: a mean of the columns of each row."""
        sleeve = self.sleeve
        if not isinstance(sleeve, LearnedSleeve):
            return {}
        rows = sleeve.rows(panel)
        return dict.fromkeys(sleeve.models, rows.spread(rows.X.mean(axis=1, dtype=np.float64), panel))


def sleeve_checks(title: str, build: Callable[[BookSettings], Sleeve]) -> list[Check]:
    """Every requirement of a sleeve.

    Args:
        title: its name in messages.
        build: makes the sleeve from settings of the book: its class.

    >>> from quorate.book.sleeves.trend import Trend
    >>> for check in sleeve_checks("trend", Trend):
    ...     check()
    """
    subject = SleeveUnderTest(title, build)
    return [Check(requirement, subject) for requirement in REQUIREMENTS]


def has_a_name_and_a_lookback(s: SleeveUnderTest) -> None:
    """It has a name that fits a setting, and days of look-back."""
    name = getattr(s.sleeve, "name", None)
    s.require(isinstance(name, str) and name.isidentifier(), f"the name {name!r}", "letters, digits and underscores")
    s.require(s.sleeve.lookback_days > 0, f"a look-back of {s.sleeve.lookback_days} days", "1 day or more")
    known = s.sleeve.needs <= {"candles", "funding"}
    s.require(known, f"the needs {sorted(s.sleeve.needs)}", "candles, funding or both")


def weights_fit_the_panel(s: SleeveUnderTest) -> None:
    """Weights are finite, of the panel's shape, and some are not 0."""
    weights, panel = s.weights()
    rows = len(panel.grid.time) + 1 if s.sleeve.by_bar else len(panel.time)
    s.require(weights.shape == (rows, len(panel.symbols)), f"weights of {weights.shape}", f"({rows}, markets)")
    s.require(bool(np.isfinite(weights).all()), "weights that are not finite", "finite weights, 0 for none")
    s.require(bool((weights != 0).any()), "no position on any day", "positions once its windows are full")


def reads_no_later_candles(s: SleeveUnderTest) -> None:
    """The rows of truncated candles are the first rows of the longer ones, to the last bit."""
    part, _ = s.weights(_CUT)
    whole, _ = s.weights(longer=True)
    s.require_equal(part, whole[: len(part)], 0.0, "on rows before the end of truncated candles")


def holds_nothing_without_its_data(s: SleeveUnderTest) -> None:
    """A sleeve that needs funding holds nothing where none is known."""
    if "funding" not in s.sleeve.needs:
        return
    weights, _ = s.weights(funding=False)
    s.require(not weights.any(), "positions without known funding", "none")


def learns_from_rows_that_fit(s: SleeveUnderTest) -> None:
    """A learned sleeve has finite rows by day, as wide as its columns, and labels that need later days."""
    if not isinstance(s.sleeve, LearnedSleeve):
        return
    _, panel = s.weights()
    rows = s.sleeve.rows(panel)
    width = len(s.sleeve.columns)
    s.require(rows.X.shape == (len(rows.day), width), f"rows of {rows.X.shape}", f"(rows, {width})")
    s.require(rows.X.dtype == np.float32 and bool(np.isfinite(rows.X).all()), f"{rows.X.dtype}", "finite float32")
    s.require(bool((np.diff(rows.day) >= 0).all()), "rows that are not by day", "rows by day")
    labels = s.sleeve.labels(panel, PositionOutcomes.of(panel, {}))
    known: BoolArray = np.logical_or.reduce(np.isfinite(labels), axis=1)
    ended = not known[len(labels) - s.sleeve.label_days :].any()
    s.require(ended and bool(known.any()), "labels of the newest days", "labels that need `label_days` more days")


REQUIREMENTS = (
    has_a_name_and_a_lookback,
    weights_fit_the_panel,
    reads_no_later_candles,
    holds_nothing_without_its_data,
    learns_from_rows_that_fit,
)
