"""Trade a book's target weights in the simulated account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import ArgumentError, DataError, EvaluationError, TrainingSpanError
from quorate.core.progress import Progress, silent
from quorate.workflows.book.kinds import BookLike, book_of
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags, settings_of
from quorate.workflows.inputs.market_data import Data, data_name, open_source, read_contracts, read_marks, require_data
from quorate.workflows.inputs.selection import Selection, span, split_names, timeframe_of
from quorate.workflows.results.book import BookBacktest

if TYPE_CHECKING:
    from quorate.book.panel import DailyPanel
    from quorate.book.portfolio.targets import BookTargets
    from quorate.core.settings import BookSettings, Settings
    from quorate.market.source import CandleSource
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.workflows.book.markets import BookMarkets
    from quorate.workflows.runs.trials import RunRecord


def backtest_book(
    book: BookLike,
    data: Data,
    *,
    allow_training_span: bool = False,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> BookBacktest:
    """Trade a book's target weights on later candles in the simulated account.

    Weights become orders at the next open, with fees, slippage, funding, lots, minima, cross margin and liquidations.

    Args:
        book: a folder of a book or of books, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        allow_training_span: also trade days of the training span; the result is marked.
        settings: account and costs; None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        progress: of reading.
        **selection: `start` (default: the end of the training) and `end`; `symbols`, default those of the book.

    Raises:
        BundleError: no book there, or an altered one.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
    """
    from quorate.book.portfolio.targets import BookTargets
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.workflows.book.markets import read_markets
    from quorate.workflows.book.trials import record_book
    from quorate.workflows.runs.trials import TrialRecorder, require_record

    require_arguments(backtest_book, selection, Selection.__optional_keys__)
    require_flags(allow_training_span=allow_training_span)
    require_callback(progress=progress)
    require_data(data)
    settings = settings_of(settings)
    require_record(record)
    if selection.get("top") is not None:
        raise ArgumentError("backtest a book", found=f"`top` {selection['top']!r}", expected="`symbols`, or neither")
    symbols, timeframe = split_names(selection.get("symbols")), timeframe_of(selection)
    start, end = span(selection)
    recorder = TrialRecorder.open(record, settings, verb="backtest", data=data_name(data))
    loaded = book_of(book)
    manifest = loaded.manifest
    first = manifest.training_end if start is None else start
    if first < manifest.training_end and not allow_training_span:
        raise TrainingSpanError(
            f"backtest the book {manifest.id} from {format_ms(first)}",
            found=f"days of the training span, to {format_ms(manifest.training_end)}",
            expected=f"`start` {format_ms(manifest.training_end)} or later",
            remedy="Or allow it with `allow_training_span=True`; the result is then marked.",
        )
    source = open_source(data)
    markets = read_markets(source, symbols or manifest.symbols, timeframe, end=end, progress=progress)
    panel, _ = markets.panel(manifest.settings)
    targets = BookTargets(panel, loaded.weights(panel), manifest.settings)
    result = trade_targets(targets, panel, markets, source, settings, first, end)
    header = {
        "book": manifest.id,
        "data": data_name(data),
        "training_span_overlaps": first < manifest.training_end,
        "abstentions": [{"model": name, "reason": why} for name, why in loaded.failures.items()],
    }
    document = judged(header, result, panel, markets, manifest.settings, settings)
    curve = EquityCurve(result.time, result.equity_usd, result.start_equity_usd)
    choices = {"book": manifest.id, "from": iso_ms(int(result.time[0])), "to": iso_ms(int(result.time[-1]))}
    headline = {"trades": len(result.trades), "total_return": curve.total_return}
    recorded = record_book(recorder, curve.daily_returns(), manifest.settings, settings, markets, choices, headline)
    return BookBacktest({**document, **recorded}, result)


def trade_targets(
    targets: BookTargets,
    panel: DailyPanel,
    markets: BookMarkets,
    source: CandleSource,
    settings: Settings,
    start: int,
    end: int | None,
) -> BacktestResult:
    """Trade target weights from a moment on, on cross margin, as the longs and shorts of a book back each other.

    Args:
        targets: of the book.
        panel: of the same markets.
        markets: candles and funding.
        source: of mark prices and contracts.
        settings: account and costs; its margin is not read, its leverage is.
        start: ms of the first decision.
        end: ms, exclusive; None for the end of the candles.

    Raises:
        DataError: no decision in the span.
    """
    from quorate.book.panel.bar_grid import BAR_MS, four_hour_bars
    from quorate.trading.backtest.markets import TradedMarkets
    from quorate.trading.backtest.target_weights import backtest_weights

    moments = targets.moments(start, end)
    if not moments:
        raise DataError(
            "trade a book",
            found=f"candles that end at {format_ms(int(panel.grid.moments[-1]))}",
            expected=f"days from {format_ms(start)} on",
        )
    # Decided at the close of the bar before a moment, filled at the open at that moment.
    first = moments[0] - BAR_MS
    bars = {symbol: four_hour_bars(candles) for symbol, candles in markets.candles.items()}
    bars = {symbol: each for symbol, each in bars.items() if len(each.between(first, end))}
    marks = read_marks(source, tuple(bars), "4h", first, end)
    traded = TradedMarkets(bars, markets.funding, marks, first, end)

    def decide(time: int, equity_usd: float, held: Any) -> dict[str, float] | None:
        decided = targets.at(time + BAR_MS, equity_usd, targets.columns(held.items()))
        return None if decided is None else targets.by_symbol(decided)

    return backtest_weights(
        decide,
        [moment - BAR_MS for moment in moments],
        traded,
        replace(settings.account, margin="cross"),
        settings.costs,
        read_contracts(source),
    )


def judged(
    header: dict[str, Any],
    result: BacktestResult,
    panel: DailyPanel,
    markets: BookMarkets,
    book: BookSettings,
    settings: Settings,
) -> dict[str, Any]:
    """The JSON document of a backtest: its figures beside holding, on the same bars."""
    from quorate.book.panel.bar_grid import four_hour_bars
    from quorate.evaluation.baselines.naive import buy_and_hold
    from quorate.evaluation.metrics.equity import EquityCurve, equity_figures

    curve = EquityCurve(result.time, result.equity_usd, result.start_equity_usd)
    first, last = int(result.time[0]), int(result.time[-1]) + 1
    universe = panel.universe(book.markets)[min(panel.row(first), len(panel.time) - 1)]
    leader = panel.symbols[panel.leader]
    held = {
        "leader": [leader],
        "universe": [symbol for symbol, inside in zip(panel.symbols, universe, strict=True) if inside],
    }
    baselines = {}
    for name, symbols in held.items():
        candles = {symbol: four_hour_bars(markets.candles[symbol]).between(first, last) for symbol in symbols}
        candles = {symbol: each for symbol, each in candles.items() if len(each)}
        if candles:
            equity = buy_and_hold(candles, result.start_equity_usd, settings.costs, markets.funding)
            baselines[name] = {"symbols": list(candles), **equity_figures(equity, settings.evaluation).to_json()}
    weights, traded = result.weights, result.traded_usd
    if weights is None or traded is None:
        raise EvaluationError(
            "judge the backtest of a book", found="a result without weights", expected="one of target weights"
        )
    sizes = abs(weights).sum(axis=1)
    return {
        **header,
        **result.to_json(),
        "stats": {
            "n": len(result.trades),
            **equity_figures(curve, settings.evaluation).to_json(),
            "turnover_a_day": float((traded / result.equity_usd).sum() / max(len(curve.daily().time), 1)),
            "mean_gross": float(sizes.mean()),
            "most_gross": float(sizes.max()),
            "mean_net": float(weights.sum(axis=1).mean()),
        },
        "baselines": baselines,
    }
