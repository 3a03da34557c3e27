"""Decisions at the newest closed bar of many markets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import TEXT, WHOLE, require_types
from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.core.types.shards import ALL, Shard
from quorate.workflows.inputs.arguments import require_callback, require_flags, settings_of
from quorate.workflows.inputs.market_data import Data, open_source, same_kind
from quorate.workflows.inputs.panels import live_panel, no_provider
from quorate.workflows.inputs.predictors import BundleLike, load_live, require_timeframe
from quorate.workflows.inputs.selection import split_names
from quorate.workflows.results.signals import MarketSignals
from quorate.workflows.results.training import TrainResult
from quorate.workflows.results.training_series import SeriesResult
from quorate.workflows.runs.market_signals import mark, read_and_predict
from quorate.workflows.runs.shard_processes import ShardSignals, predict_in_processes

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, Policy
    from quorate.ensemble.inference import Predictor
    from quorate.llm.judging_panel import JudgingPanel
    from quorate.market.source import CandleSource
    from quorate.trading.entry_panel import PanelVote

_PREDICT = "predict markets"


def signals(
    bundle: BundleLike,
    data: Data,
    symbols: Sequence[str] | str | None = None,
    *,
    all_markets: bool = False,
    timeframe: str | None = None,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    panel: bool = False,
    shard: str = str(ALL),
    processes: int = 1,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> MarketSignals:
    """Predict the newest closed bar of each market.

    Each signal is marked if its bar is stale, synthetic or inside the training span, or its market was not trained on.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbols: markets in order, as a sequence or a text with commas; None for those of candles in memory, or of a
            folder those that the bundle was trained on.
        all_markets: every market of the data of the kind the bundle was trained on, perpetuals or spot.
        timeframe: None for the bundle's; any other is refused.
        policy: "classic", "calibrated", "consensus" or "closed", instead of the bundle's own.
        allow_training_span: also predict bars of the training span; these signals are marked.
        panel: ask the panel of language models of the settings about BUY and SELL, which may cost money.
        shard: "K/N": of the markets only those of the Kth of N parts, by a hash of their names: see `Shard`.
        processes: that predict side by side, each with a part of the markets; the signals are the same. One that is
            killed is logged and begun again once. The bundle must be a path.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.

    Raises:
        ArgumentError: no market, an argument of the wrong type, another timeframe than the bundle's, a panel without a
            provider, or several processes with a panel or a loaded bundle.
        BundleError: no bundle there, one that was altered, or without that policy.
        TrainingSpanError: a bar of the training span that is not allowed.
        DataError: candles of no market can be read.
        WorkerError: a process was killed twice; its shard is named.
    """
    require_flags(all_markets=all_markets, allow_training_span=allow_training_span, panel=panel)
    require_callback(progress=progress)
    require_types(_PREDICT, shard=(shard, TEXT), processes=(processes, WHOLE))
    part = Shard.parse(shard)
    path = _path_for(bundle, processes, panel=panel)
    settings = settings_of(settings)
    judge = live_panel(settings, settings.journal.url) if panel else None
    if panel and judge is None:
        raise no_provider("ask the panel of language models")
    loaded = load_live(bundle, settings, policy)
    require_timeframe(loaded, timeframe)
    named = split_names(symbols)
    if named and all_markets:
        raise ArgumentError(
            "choose the markets", found="both `symbols` and `all_markets`", expected="either of them, or neither"
        )
    source = open_source(data, named, loaded.manifest.timeframe)
    wanted = part.require(named or _markets(source, loaded, all_markets=all_markets))
    markets: list[Candles] = []
    if path is None:
        found, markets = read_and_predict(
            loaded,
            source,
            wanted,
            allow_training_span=allow_training_span,
            progress=progress,
            keep=judge is not None,
        )
    else:
        work = ShardSignals(path, loaded.id, source, settings, policy, allow_training_span)
        found = predict_in_processes(work, wanted, part, processes, progress)
    if not len(found):
        raise next(iter(found.left_out.values()))
    return found if judge is None else _judged(found, markets, judge)


def _path_for(bundle: BundleLike, processes: int, *, panel: bool) -> Path | None:
    """The path that several processes load the bundle from; None for one process.

    Raises:
        ArgumentError: not a number of processes, or what several cannot do.
    """
    if processes == 1:
        return None
    if processes < 1 or panel:
        raise ArgumentError(
            _PREDICT,
            found=f"`processes` {processes}{' with `panel`' if panel else ''}",
            expected="at least 1, and 1 with a panel of language models",
        )
    if isinstance(bundle, TrainResult | SeriesResult):
        bundle = bundle.path
    if isinstance(bundle, str | Path):
        return Path(bundle)
    raise ArgumentError(
        _PREDICT,
        found=f"`processes` {processes} with a `bundle` that is loaded",
        expected="its path, from which each process loads it",
    )


def _markets(source: CandleSource, bundle: Predictor, *, all_markets: bool) -> tuple[str, ...]:
    """The markets that the bundle was trained on and the data have, or all of its kind; of candles in memory all.

    Raises:
        ArgumentError: none.
    """
    from quorate.market.memory import MemorySource

    kind = same_kind(source, bundle)
    all_markets = all_markets or isinstance(source, MemorySource)
    trained = set(bundle.manifest.symbols)
    wanted = kind if all_markets else tuple(symbol for symbol in kind if symbol in trained)
    if not wanted:
        what = "of the bundle's kind" if all_markets or not kind else "that the bundle was trained on"
        raise ArgumentError(
            "choose the markets",
            found=f"none {what} in the data",
            expected="`symbols` with candles" if not kind else "`symbols`, or `all_markets`",
        )
    return wanted


def _judged(found: MarketSignals, markets: Sequence[Candles], panel: JudgingPanel) -> MarketSignals:
    """The signals with the panel's judgements; markets whose newest bars closed at the same time are asked together."""
    length = timeframe_ms(markets[0].timeframe)
    votes: dict[str, PanelVote] = {}
    bars = {each.symbol: candles.between(end=each.time + 1) for each, candles in zip(found, markets, strict=True)}
    for time in sorted({each.time for each in found}):
        together = [each.signal for each in found if each.time == time]
        votes |= panel.votes(time + length, together, bars)
    return replace(found, signals=tuple(replace(each, panel=votes.get(each.symbol)) for each in found))


def predict_markets(
    bundle: Predictor, panel: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
) -> MarketSignals:
    """Predict the newest closed bar of each market, every member once on the batch of all markets.

    For candles in memory, as a service has them. Signals are those of `signals`, except with networks in 8 bits: see
    `Bundle.predict_many`.

    Args:
        bundle: loaded.
        panel: candles of each market, in the bundle's timeframe.
        now: current time in ms UTC; None for the clock.
        allow_training_span: also predict bars of the training span; these signals are marked.

    Raises:
        BundleError, CandleError, TooLittleHistoryError, TrainingSpanError: as `Bundle.predict_many`.
    """
    now = now_ms() if now is None else now
    made = bundle.predict_many(panel, now=now, allow_training_span=allow_training_span)
    return mark(bundle, made, [candles.synthetic for candles in panel], now)
