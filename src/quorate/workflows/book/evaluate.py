"""Judge a book along time: members refitted each month, weights traded on the days after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.arguments import Kind, require_types
from quorate.core.clock import iso_ms
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, RunEstimate, silent
from quorate.workflows.inputs.arguments import require_arguments, require_callback, settings_of
from quorate.workflows.inputs.market_data import Data, data_name, open_source, require_data
from quorate.workflows.inputs.selection import Selection, span, split_names, timeframe_of
from quorate.workflows.results.book.evaluated_book import EvaluatedBook

if TYPE_CHECKING:
    from quorate.book.portfolio.weights import Forecasts
    from quorate.core.settings import Settings
    from quorate.workflows.runs.trials import RunRecord


def evaluate_book(
    data: Data,
    *,
    models: Sequence[str] | str | None = None,
    forecasts: Forecasts | None = None,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> EvaluatedBook:
    """Refit the members of a book each month on labels known by then, and judge its weights on the days that follow.

    The weights are judged by their returns (`evaluation.book`) and traded in the simulated account.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        models: registered names of the cross-section's members, instead of the setting `book.members`.
        forecasts: of an earlier evaluation of the same candles, instead of refits: sleeve -> member -> (D, S).
        settings: None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        progress: called with each stage's name, units done and units in all.
        **selection: `start` of the first forecast, before which there are at least some months of candles; `end`;
            `symbols` (default: all perpetuals of the data) and `timeframe`.

    Raises:
        ArgumentError: no `start`, or `top`.
        DataError: candles that cannot be read or used.
        BookError: too few rows with a known label before `start`, or an unknown sleeve.
        EvaluationError: the trial log cannot be written.
    """
    from quorate.book.portfolio import SleeveWeights
    from quorate.book.portfolio.targets import BookTargets
    from quorate.book.sleeves.learned import LearnedSleeve
    from quorate.book.sleeves.registry import build_sleeves
    from quorate.book.training import forecast_by_month
    from quorate.evaluation.book import judge_book
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.workflows.book.backtest import account_figures, trade_targets
    from quorate.workflows.book.chosen_settings import chosen_settings
    from quorate.workflows.book.markets import read_markets
    from quorate.workflows.book.traded_span import TradedSpan
    from quorate.workflows.book.trials import record_book
    from quorate.workflows.runs.trials import TrialRecorder, require_record

    require_arguments(evaluate_book, selection, Selection.__optional_keys__)
    require_callback(progress=progress)
    require_types(
        "evaluate a book",
        forecasts=(forecasts, Kind((Mapping,), "a mapping from sleeve to member to forecasts").optional),
    )
    progress = RunEstimate.of(progress)
    settings = settings_of(settings)
    book = chosen_settings(settings, models)
    require_data(data)
    require_record(record)
    symbols = split_names(selection.get("symbols"))
    timeframe = timeframe_of(selection)
    start, end = span(selection)
    if start is None or selection.get("top") is not None:
        raise ArgumentError(
            "evaluate a book",
            found="no `start`" if selection.get("top") is None else f"`top` {selection.get('top')!r}",
            expected="`start`, from which members are refitted each month; the universe is chosen day by day",
        )
    recorder = TrialRecorder.open(record, settings, verb="evaluate", data=data_name(data))
    source = open_source(data)
    markets = read_markets(
        source,
        symbols,
        timeframe,
        end=end,
        settings=settings.universe,
        progress=progress,
    )
    panel = markets.panel(book)
    outcomes = markets.outcomes(panel)
    sleeves = build_sleeves(book)
    if forecasts is None:
        forecasts = {
            sleeve.name: forecast_by_month(
                sleeve,
                panel,
                outcomes,
                start,
                book.models,
                workers=settings.train.workers,
                engine=settings.engine,
                progress=progress,
            ).forecasts
            for sleeve in sleeves
            if isinstance(sleeve, LearnedSleeve)
        }
    weights = SleeveWeights.of(sleeves, panel, forecasts, book)
    last = int(panel.grid.moments[-1]) if end is None else end
    traded = TradedSpan.of(source, markets, panel, BookTargets(panel, weights, book), start, end)
    result = trade_targets(traded, settings)
    curve = EquityCurve(result.time, result.equity_usd, result.start_equity_usd)
    choices = {"refits": "monthly", "from": iso_ms(start), "to": iso_ms(last)}
    headline = {"trades": len(result.trades), "total_return": curve.total_return}
    recorded = record_book(recorder, curve.daily_returns(), book, settings, markets, choices, headline)
    # The judgement deflates its own returns, of which there are more trials than this log knows.
    logged = recorded.pop("deflation", {})
    judgement = judge_book(
        weights,
        panel,
        outcomes,
        book,
        settings.costs,
        start=start,
        end=last,
        trials=book.earlier_trials + logged.get("distinct", 1),
        synthetic=markets.synthetic,
        progress=progress,
    )
    document: dict[str, Any] = {
        "recipe": "book",
        "sleeves": list(book.sleeves),
        "models": list(book.members),
        **judgement.to_json(),
        "account": {
            **account_figures(result, traded, book, settings),
            "costs": result.costs,
            "refused": dict(result.refused),
            "start_equity_usd": result.start_equity_usd,
            "final_equity_usd": result.final_equity_usd,
            "deflation": logged,
        },
        **recorded,
    }
    return EvaluatedBook(document, judgement, result, forecasts)
