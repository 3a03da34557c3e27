"""Target weights of a book at the newest closed bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from quorate.core.arguments import NUMBER, require_types
from quorate.core.clock import DAY_MS, format_ms
from quorate.core.errors import ArgumentError, TrainingSpanError
from quorate.core.progress import Progress, silent
from quorate.workflows.book.kinds import BookLike, book_of
from quorate.workflows.inputs.arguments import require_callback, settings_of
from quorate.workflows.inputs.market_data import Data, open_source, require_data
from quorate.workflows.results.book import TargetBook, TargetPosition

if TYPE_CHECKING:
    from quorate.book.panel import DailyPanel
    from quorate.book.portfolio import SleeveWeights
    from quorate.book.portfolio.targets import BookTargets
    from quorate.core.settings import Settings
    from quorate.core.types import FloatArray

# Days over which a book is followed to know what it holds: a position is left for the band at most about as long.
_FOLLOWED_DAYS = 120


def target_book(
    book: BookLike,
    data: Data,
    *,
    equity_usd: float | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> TargetBook:
    """The target weights now, the orders that lead to them, and each sleeve's part.

    What is held is what a book holds that has followed its targets since its training, or for the last four months:
    nothing right after the training, so that the orders are then the whole book.

    Args:
        book: a folder of a book or of books, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        equity_usd: of the account, for the limit by volume; None for the setting `account.equity_usd`.
        settings: None for those of quorate.toml and the environment.
        progress: of reading.

    Raises:
        BundleError: no book there, or an altered one.
        DataError: candles that cannot be read.
        TrainingSpanError: the candles end within the training span.
    """
    from quorate.book.portfolio.targets import BookTargets
    from quorate.workflows.book.markets import read_markets

    require_types("decide the weights of a book", equity_usd=(equity_usd, NUMBER.optional))
    require_callback(progress=progress)
    require_data(data)
    settings = settings_of(settings)
    loaded = book_of(book)
    manifest = loaded.manifest
    markets = read_markets(open_source(data), manifest.symbols, progress=progress)
    panel = markets.panel(manifest.settings)
    moment = int(panel.grid.moments[-1])
    equity = settings.account.equity_usd if equity_usd is None else equity_usd
    if not equity > 0:
        raise ArgumentError("decide the weights of a book", found=f"`equity_usd` {equity}", expected="more than 0")
    if moment < manifest.training_end:
        raise TrainingSpanError(
            f"decide the weights of the book {manifest.id}",
            found=f"candles that end at {format_ms(moment)}",
            expected=f"bars up to {format_ms(manifest.training_end)}, the end of its training, or later",
        )
    weights = loaded.weights(panel)
    targets = BookTargets(panel, weights, manifest.settings)
    start = max(manifest.training_end, moment - _FOLLOWED_DAYS * DAY_MS)
    held = _followed(targets, panel, start, equity)
    target = targets.at(moment, equity, held)
    wanted = held if target is None else target
    return TargetBook(
        book=manifest.id,
        moment=moment,
        equity_usd=equity,
        followed_from=start,
        positions=_positions(panel, weights, wanted, held),
        abstentions=loaded.failures,
        synthetic=markets.synthetic,
    )


def _followed(targets: BookTargets, panel: DailyPanel, start: int, equity_usd: float) -> FloatArray:
    """(S,) weights held at the newest moment by a book that followed its targets from `start` on, at the closes."""
    close, times = panel.grid.known_close, panel.grid.moments
    held = np.zeros(len(panel.symbols))
    for row in range(int(np.searchsorted(times, start)), len(times) - 1):
        decided = targets.at(int(times[row]), equity_usd, held)
        weights = held if decided is None else decided
        with np.errstate(invalid="ignore"):
            moved = close[row + 1] / close[row] - 1
        moved = np.where(np.isfinite(moved), moved, 0.0)
        held = weights * (1 + moved) / (1 + float((weights * moved).sum()))
    return held


def _positions(
    panel: DailyPanel, weights: SleeveWeights, target: FloatArray, held: FloatArray
) -> tuple[TargetPosition, ...]:
    parts = {name: each[-1] for name, each in {**weights.daily, **weights.by_bar}.items()}
    shown = np.flatnonzero((target != 0) | (held != 0))
    rows = [
        TargetPosition(
            symbol=panel.symbols[column],
            weight=float(target[column]),
            held=float(held[column]),
            order=float(target[column] - held[column]),
            sleeves={name: float(part[column]) for name, part in parts.items() if part[column]},
            price=float(panel.grid.close[-1, column]),
        )
        for column in shown
    ]
    return tuple(sorted(rows, key=lambda row: (-abs(row.weight), -abs(row.held), row.symbol)))
