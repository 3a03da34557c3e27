"""Train a book and publish it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from quorate.core.progress import Progress, RunEstimate, silent
from quorate.workflows.inputs.arguments import folder_of, require_arguments, require_callback, settings_of
from quorate.workflows.inputs.market_data import Data, open_source
from quorate.workflows.inputs.selection import Selection, span, split_names, timeframe_of
from quorate.workflows.results.book import TrainedBook

if TYPE_CHECKING:
    from quorate.core.settings import Settings


def train_book(
    data: Data,
    out: str | Path,
    *,
    models: Sequence[str] | str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> TrainedBook:
    """Fit the members of a book's sleeves on all labels known by the end of the span, and publish it.

    Each day's universe is chosen from the markets by what was known then.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        out: folder of books; created if missing. The newest becomes the one that is used.
        models: registered names of the cross-section's members, instead of the setting `book.members`.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.
        **selection: `symbols` (default: all perpetuals of the data), `timeframe` (default: 4h, else shorter candles
            of a market), `start` and `end`.

    Raises:
        ArgumentError: `top` (the universe is chosen day by day), or a date that cannot be read.
        DataError: candles that cannot be read or used.
        BookError: too few rows with a known label, or an unknown sleeve.
        ModelError: an unknown model, or fewer members than the quorum could be fitted.
        BundleError: the folder cannot be written.
    """
    from quorate.book.bundle.book_files import publish_book
    from quorate.book.bundle.manifest import BookManifest, BookMember
    from quorate.book.sleeves.learned import LearnedSleeve
    from quorate.book.sleeves.registry import build_sleeves
    from quorate.book.training.fit import fit_members
    from quorate.core.clock import timeframe_ms
    from quorate.core.errors import ArgumentError
    from quorate.core.version import versions
    from quorate.workflows.book.chosen_settings import chosen_settings
    from quorate.workflows.book.markets import read_markets

    require_arguments(train_book, selection, Selection.__optional_keys__)
    require_callback(progress=progress)
    progress = RunEstimate.of(progress)
    if selection.get("top") is not None:
        raise ArgumentError(
            "select the markets of a book",
            found="`top`",
            expected="`symbols`, or neither: the universe is chosen day by day",
            remedy="Set its size with the setting book.markets.",
        )
    folder = folder_of("out", out)
    settings = settings_of(settings)
    book = chosen_settings(settings, models)
    start, end = span(selection)
    symbols = split_names(selection.get("symbols"))
    source = open_source(data, symbols, timeframe_of(selection))
    markets = read_markets(
        source,
        symbols,
        timeframe_of(selection),
        start=start,
        end=end,
        settings=settings.universe,
        progress=progress,
    )
    sleeves = build_sleeves(book)
    began = time.perf_counter()
    panel = markets.panel(book)
    outcomes = markets.outcomes(panel)
    fitted = fit_members(sleeves, panel, outcomes, book.models, progress)
    manifest = BookManifest(
        id="",
        symbols=panel.symbols,
        timeframe=max((each.timeframe for each in markets.candles.values()), key=timeframe_ms),
        training_start=int(panel.grid.time[0]),
        training_end=int(panel.grid.moments[-1]),
        settings=book,
        columns={sleeve.name: sleeve.columns for sleeve in sleeves if isinstance(sleeve, LearnedSleeve)},
        members=tuple(
            BookMember(
                each.sleeve,
                each.model,
                each.rows,
                next((n for n in each.files if n.endswith(".onnx")), ""),
                each.failure,
            )
            for each in fitted
        ),
        files={},
        synthetic=markets.synthetic,
        versions=versions(),
        models={name: asdict(getattr(book.models, name)) for name in book.members if hasattr(book.models, name)},
    )
    path, manifest = publish_book(
        folder, manifest, {name: content for each in fitted for name, content in each.files.items()}
    )
    universe = panel.universe(book.markets)[-1]
    return TrainedBook(
        path,
        manifest,
        {f"{each.sleeve}.{each.model}": each.seconds for each in fitted},
        len(panel.time),
        tuple(symbol for symbol, inside in zip(panel.symbols, universe, strict=True) if inside),
        time.perf_counter() - began,
    )
