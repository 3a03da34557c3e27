"""Trade a book's target weights in the simulated account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.clock import iso_ms
from quorate.core.errors import EvaluationError
from quorate.core.progress import Progress, silent
from quorate.workflows.book.kinds import BookLike
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags, settings_of
from quorate.workflows.inputs.market_data import Data, data_name, read_contracts, require_data
from quorate.workflows.inputs.selection import Selection
from quorate.workflows.results.book import BookBacktest

if TYPE_CHECKING:
    from quorate.core.settings import BookSettings, Settings
    from quorate.evaluation.book import BookJudgement
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.workflows.book.traded_span import TradedSpan
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
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.workflows.book.traded_span import open_span
    from quorate.workflows.book.trials import record_book
    from quorate.workflows.runs.trials import TrialRecorder, require_record

    require_arguments(backtest_book, selection, Selection.__optional_keys__)
    require_flags(allow_training_span=allow_training_span)
    require_callback(progress=progress)
    require_data(data)
    settings = settings_of(settings)
    require_record(record)
    recorder = TrialRecorder.open(record, settings, verb="backtest", data=data_name(data))
    loaded, traded, overlaps = open_span(
        "backtest a book", book, data, selection, allow_training_span=allow_training_span, progress=progress
    )
    manifest, markets = loaded.manifest, traded.markets
    result = trade_targets(traded, settings)
    header = {
        "book": manifest.id,
        "data": data_name(data),
        "training_span_overlaps": overlaps,
        "abstentions": [{"model": name, "reason": why} for name, why in loaded.failures.items()],
    }
    document = {**header, **result.to_json(), **account_figures(result, traded, manifest.settings, settings)}
    curve = EquityCurve(result.time, result.equity_usd, result.start_equity_usd)
    choices = {"book": manifest.id, "from": iso_ms(int(result.time[0])), "to": iso_ms(int(result.time[-1]))}
    headline = {"trades": len(result.trades), "total_return": curve.total_return}
    recorded = record_book(recorder, curve.daily_returns(), manifest.settings, settings, markets, choices, headline)
    panel = traded.panel

    def judge(progress: Progress) -> BookJudgement:
        from quorate.evaluation.book import judge_book

        return judge_book(
            traded.targets.weights,
            panel,
            markets.outcomes(panel),
            manifest.settings,
            settings.costs,
            start=traded.moments[0],
            end=int(panel.grid.moments[-1]) if traded.end is None else traded.end,
            trials=manifest.settings.earlier_trials + recorded.get("deflation", {}).get("distinct", 1),
            synthetic=markets.synthetic,
            progress=progress,
        )

    return BookBacktest({**document, **recorded}, result, judge)


def trade_targets(traded: TradedSpan, settings: Settings) -> BacktestResult:
    """Trade target weights on cross margin, as the longs and shorts of a book back each other.

    Args:
        traded: what is decided, and the bars.
        settings: account and costs; its margin is not read, its leverage is.
    """
    from quorate.trading.backtest.markets import TradedMarkets
    from quorate.trading.backtest.target_weights import backtest_weights

    bars = traded.bars()
    return backtest_weights(
        traded.targets.after_bar,
        traded.decided_bars,
        TradedMarkets(bars, traded.markets.funding, traded.marks(bars), traded.first, traded.end),
        replace(settings.account, margin="cross"),
        settings.costs,
        read_contracts(traded.source),
    )


def account_figures(
    result: BacktestResult, traded: TradedSpan, book: BookSettings, settings: Settings
) -> dict[str, Any]:
    """`stats` of the account, and its `baselines` by holding on the same bars, JSON-safe."""
    from quorate.evaluation.baselines.naive import buy_and_hold
    from quorate.evaluation.metrics.equity import EquityCurve, equity_figures

    curve = EquityCurve(result.time, result.equity_usd, result.start_equity_usd)
    panel, first, last = traded.panel, int(result.time[0]), int(result.time[-1]) + 1
    universe = panel.universe(book.markets)[min(panel.row(first), len(panel.time) - 1)]
    held = {
        "leader": [panel.symbols[panel.leader]],
        "universe": [symbol for symbol, inside in zip(panel.symbols, universe, strict=True) if inside],
    }
    bars = {symbol: each.between(first, last) for symbol, each in traded.bars().items()}
    baselines = {}
    for name, symbols in held.items():
        candles = {symbol: bars[symbol] for symbol in symbols if len(bars.get(symbol, ()))}
        if candles:
            equity = buy_and_hold(candles, result.start_equity_usd, settings.costs, traded.markets.funding)
            baselines[name] = {"symbols": list(candles), **equity_figures(equity, settings.evaluation).to_json()}
    weights, value = result.weights, result.traded_usd
    if weights is None or value is None:
        raise EvaluationError(
            "judge the backtest of a book", found="a result without weights", expected="one of target weights"
        )
    sizes = abs(weights).sum(axis=1)
    stats = {
        "n": len(result.trades),
        **equity_figures(curve, settings.evaluation).to_json(),
        "turnover_a_day": float((value / result.equity_usd).sum() / max(len(curve.daily().time), 1)),
        "mean_gross": float(sizes.mean()),
        "most_gross": float(sizes.max()),
        "mean_net": float(weights.sum(axis=1).mean()),
    }
    return {"stats": stats, "baselines": baselines}
