"""A book on two synthetic markets: one in which single markets trend, and a control in which nothing is planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.progress import Progress, silent
from quorate.workflows.results.book import BookDemo

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.results.book import BookBacktest

# 450 days of 24 markets, of which the first 300 train.
_MARKETS, _BARS, _TRAINED, _TIMEFRAME = 24, 2_700, 1_800, "4h"

# An account of 1,000 USD cannot hold so many small positions.
_EQUITY_USD = 100_000.0


def demo_book(out: Path, *, seed: int, edge: float, settings: Settings, progress: Progress = silent) -> BookDemo:
    """Train a book and trade it on later days, with the effect and without.

    Args:
        out: folder for the books and the trial log.
        seed: of the markets.
        edge: share of the returns' variance that each market's own hidden trend explains; 0 in the control.
        settings: of the book and its account, whose equity is replaced.
        progress: called with the books done and in all.

    Raises:
        BundleError: the folder cannot be written.
        MissingExtraError: the libraries that train are not installed.
    """
    control = _trade(out / "control", seed, 0.0, settings)
    progress("training and trading two books", 1, 2)
    planted = _trade(out / "planted", seed, edge, settings) if edge else None
    progress("training and trading two books", 2, 2)
    return BookDemo(edge, planted, control)


def _trade(out: Path, seed: int, edge: float, settings: Settings) -> BookBacktest:
    from quorate.core.clock import DAY_MS
    from quorate.market.synthetic import SyntheticMarket
    from quorate.workflows.book.backtest import backtest_book
    from quorate.workflows.book.train import train_book
    from quorate.workflows.runs.trials import RunRecord

    settings = replace(settings, account=replace(settings.account, equity_usd=_EQUITY_USD))
    market = SyntheticMarket(seed=seed, symbols=_MARKETS, bars=_BARS, timeframe=_TIMEFRAME, edge=edge)
    seam = int(market.candles(market.names[0]).time[_TRAINED]) // DAY_MS * DAY_MS
    trained = train_book(market, out, end=seam, settings=settings)
    return backtest_book(trained.path, market, settings=settings, record=RunRecord(path=out / "trials.jsonl"))
