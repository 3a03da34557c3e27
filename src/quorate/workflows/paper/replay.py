"""A replay of stored candles: its markets, its progress, and what its verdict compares the account with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from quorate.core.clock import timeframe_ms
from quorate.core.progress import Progress
from quorate.workflows.inputs.selection import Markets, resolve, resolve_for_bundle, split_names
from quorate.workflows.paper.options import PaperOptions, selection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.ensemble.inference import Predictor
    from quorate.market.feed import Feed
    from quorate.market.source import CandleSource
    from quorate.trading.account.contract import Contract
    from quorate.trading.journal import Journal, Record
    from quorate.trading.paper import AccountStatus, ReplayFeed
    from quorate.workflows.inputs.market_data import Data

#: Name of the stage of a replay's bars.
REPLAYING = "replaying"


def open_replay(
    data: Data, bundle: Predictor, settings: Settings, progress: Progress, options: PaperOptions
) -> tuple[ReplayFeed, dict[str, Contract], bool]:
    """Stored candles as a feed, the rules of their markets, and whether the candles are synthetic.

    Args:
        data: stored candles.
        bundle: its timeframe and, where none are named, the kind of its markets.
        settings: of the ranking by volume.
        progress: of reading candles.
        options: markets, span and speed.
    """
    from quorate.trading.paper import ReplayFeed
    from quorate.workflows.inputs.market_data import open_source
    from quorate.workflows.inputs.selected_data import read_market_data

    source = open_source(data, split_names(options.get("symbols")), bundle.manifest.timeframe)
    markets = _markets(source, bundle, settings, options)
    panel, funding, marks, contracts = read_market_data(source, markets, progress)
    speed = options.get("speed")
    feed = ReplayFeed(panel, markets.start, markets.end, funding=funding, marks=marks, bars_per_second=speed)
    return feed, contracts, feed.synthetic


def bar_progress(feed: ReplayFeed, progress: Progress) -> Callable[[Record], None]:
    """A listener that reports each bar whose close is in the journal.

    Args:
        feed: of the session.
        progress: called with `REPLAYING`, the number of bars that are done, and that of all.
    """
    from quorate.trading.journal import ValuedRecord

    first, length, bars = feed.begin(), timeframe_ms(feed.timeframe), feed.bars

    def listen(record: Record) -> None:
        if isinstance(record, ValuedRecord) and record.phase == "close":
            progress(REPLAYING, (record.time - first) // length + 1, bars)

    return listen


def beside_replay(
    feed: Feed, journal: Journal, status: AccountStatus, bundle: Predictor | None, settings: Settings
) -> dict[str, Any]:
    """What the account of a replay is compared with, as keys of its document; empty live and before the first bar.

    They are `baselines.buy_and_hold`, of the same markets on the same bars, and where nothing was traded `floors`: what
    lower floors of the vote would have done.

    Args:
        feed: of the session.
        journal: of the account.
        status: of the account.
        bundle: that decided; None for a book, which has no vote.
        settings: of the intervals, the costs and the floors.
    """
    from quorate.evaluation.baselines.naive import buy_and_hold
    from quorate.evaluation.metrics.equity import equity_figures
    from quorate.trading.paper import ReplayFeed

    if not isinstance(feed, ReplayFeed):
        return {}
    result = status.history.result()
    if not len(result.time):
        return {}
    first, end = int(result.time[0]), int(result.time[-1]) + 1
    panel = {symbol: candles.between(first, end) for symbol, candles in feed.panel.items()}
    panel = {symbol: candles for symbol, candles in panel.items() if len(candles)}
    if not panel:
        return {}
    curve = buy_and_hold(panel, result.start_equity_usd, status.config.costs, feed.funding(first, end))
    found: dict[str, Any] = {"baselines": {"buy_and_hold": equity_figures(curve, settings.evaluation).to_json()}}
    if bundle is not None and not result.trades and bundle.stack is None:
        found["floors"] = _floors(panel, journal, bundle, settings)
        found["policy"] = bundle.decides
    return found


def _floors(
    panel: Mapping[str, Candles], journal: Journal, bundle: Predictor, settings: Settings
) -> dict[str, Any] | None:
    from quorate.evaluation.metrics.floors import lower_floors
    from quorate.trading.paper import DecidedVotes

    votes = DecidedVotes()
    votes.refresh(journal)
    frames = {symbol: frame for symbol, frame in votes.frames(bundle.id).items() if symbol in panel}
    if not frames:
        return None
    manifest = bundle.manifest
    settings = replace(settings, vote=manifest.policy, target=replace(manifest.target, horizon=manifest.horizon))
    return lower_floors(frames, panel, settings, len(manifest.members))


def _markets(source: CandleSource, bundle: Predictor, settings: Settings, options: PaperOptions) -> Markets:
    selection = selection_of(options)
    if options.get("top") is not None:
        selection["timeframe"] = bundle.manifest.timeframe
        return resolve(source, selection, settings)
    return resolve_for_bundle(source, bundle, selection, allow=options.get("allow_training_span", False))
