"""A session of a paper account: a bundle, a feed, the account's configuration and its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from quorate.core.clock import timeframe_ms
from quorate.core.progress import Progress
from quorate.workflows.inputs.selection import span_for_bundle, split_names
from quorate.workflows.paper.options import PaperOptions, require_consistent, selection_of
from quorate.workflows.paper.paper_run import Listener, PaperRun, chain, webhook_listener
from quorate.workflows.paper.replay import bar_progress, beside_replay, open_replay

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, Signal
    from quorate.ensemble.inference import Predictor
    from quorate.market.exchange import Exchange
    from quorate.market.feed import Feed
    from quorate.trading.account.contract import Contract
    from quorate.trading.entry_panel import EntryPanel
    from quorate.trading.paper import AccountConfig, AccountStatus
    from quorate.trading.paper.decided_signals import Decide
    from quorate.trading.sizing import Overlay
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.paper.failing_members import FailingMembers

# A replay must be deterministic, so its deadline is the longest that the settings allow.
_NO_DEADLINE_MS = 600_000.0


@contextmanager
def prepare(
    name: str,
    url: str,
    settings: Settings,
    bundle: BundleLike,
    data: Data | None,
    exchange: str | None,
    listener: Listener | None,
    progress: Progress,
    options: PaperOptions,
) -> Iterator[PaperRun]:
    """Load the bundle, open feed and journal, and hold both open.

    Args:
        name: of the account.
        url: of its journal.
        settings: account, costs, guards, feed, exchange.
        bundle: folder or loaded predictor.
        data: stored candles to replay.
        exchange: instead: live candles of this exchange, as ccxt names it.
        listener: called with every record once it is written.
        progress: of reading candles, and of a replay's bars.
        options: markets, span and how to trade.
    """
    from quorate.ensemble.series.sizing_file import stored_overlay
    from quorate.evaluation.drift import StoredDrift
    from quorate.trading.account.currency import account_currency
    from quorate.trading.journal import Journal
    from quorate.trading.paper import PaperSession, ReplayFeed
    from quorate.trading.webhook import url_of
    from quorate.workflows.inputs.market_data import require_unseen
    from quorate.workflows.inputs.panels import live_panel, replay_panel
    from quorate.workflows.paper.failing_members import watch_failures

    require_consistent(data, exchange, options)
    url_of()  # before anything is read or written
    if exchange is not None:
        settings = replace(settings, exchange=replace(settings.exchange, name=exchange))
    predictor = load_for_session(bundle, settings, options, live=exchange is not None)
    if (bench_of := options.get("bench")) is not None:
        predictor = predictor.with_bench(bench_of)
    allow = options.get("allow_training_span", False)
    start, end = span_for_bundle(predictor, selection_of(options), allow=allow)
    overlaps = data is not None and require_unseen(predictor, start, end, allow=allow)
    with ExitStack() as stack:
        feed, contracts, synthetic = stack.enter_context(open_feed(data, predictor, settings, progress, options))
        newest = predictor.newest
        overlay = stored_overlay(newest.folder, newest.id, settings.sizing)
        config = account_config(
            predictor,
            settings,
            contracts,
            guarded=options.get("guards", True),
            overlay=overlay,
            panel=replay_panel(settings.llm) if exchange is None else live_panel(settings, url),
        )
        currency = account_currency(feed.symbols, config.account)
        journal = stack.enter_context(
            Journal.open(url, name, settings_hash=config.hash, bundle_id=predictor.id, settings=settings.journal)
        )
        failing = None
        if settings.bench.apply and settings.bench.failures and predictor.stack is None:
            length = timeframe_ms(predictor.manifest.timeframe)
            failing = watch_failures(settings.bench, length, journal, feed.symbols)
        notify = stack.enter_context(webhook_listener(name, url, settings, journal, currency))
        session = PaperSession(
            feed,
            decide_by(predictor, failing, allow_training_span=allow),
            journal,
            config,
            bundle_id=predictor.id,
            mode="replay" if exchange is None else "live",
            synthetic=synthetic or predictor.manifest.synthetic,
            settings=settings.paper,
            drift_at=StoredDrift(newest.folder, newest.id, settings.drift),
            listener=chain(
                listener,
                notify,
                bar_progress(feed, progress) if isinstance(feed, ReplayFeed) else None,
            ),
        )

        def more(status: AccountStatus) -> dict[str, Any]:
            found: dict[str, Any] = {"in_training_span": overlaps}
            return found | beside_replay(feed, journal, status, predictor, settings)

        yield PaperRun(session, journal, settings, more)


def load_for_session(bundle: BundleLike, settings: Settings, options: PaperOptions, *, live: bool) -> Predictor:
    """The bundle that decides in a session.

    Args:
        bundle: folder or loaded predictor.
        settings: `predict` has the deadline of a live session.
        options: policy and timeframe.
        live: whether the candles are live; those who are benched now were not in the past.

    Raises:
        BundleError: missing, altered, or without the policy.
        ArgumentError: another timeframe than the bundle's.
    """
    from quorate.workflows.inputs.predictors import load_live, load_predictor, require_timeframe

    deadline = settings.predict if live else replace(settings.predict, deadline_ms=_NO_DEADLINE_MS)
    load = load_live if live else load_predictor
    predictor = load(bundle, replace(settings, predict=deadline), options.get("policy"))
    require_timeframe(predictor, options.get("timeframe"))
    return predictor


def account_config(
    bundle: Predictor,
    settings: Settings,
    contracts: Mapping[str, Contract] | None = None,
    *,
    guarded: bool = True,
    overlay: Overlay | None = None,
    panel: EntryPanel | None = None,
) -> AccountConfig:
    """The rules under which an account trades a bundle's decisions.

    Args:
        bundle: bundle or series that decides.
        settings: account, costs, exits, guards and ladder.
        contracts: symbol -> the exchange's rules.
        guarded: with guards and ladder.
        overlay: share of the ordinary stake of each entry; None for all of it.
        panel: that judges entries; None for none.
    """
    from quorate.trading.account.sizing import sizing_for
    from quorate.trading.oversight import Oversight
    from quorate.trading.paper import AccountConfig

    manifest = bundle.manifest
    account = sizing_for(bundle.decides if bundle.stack is None else "stack", settings.account)
    return AccountConfig(
        horizon=manifest.horizon,
        account=account,
        costs=settings.costs,
        exits=settings.exits,
        strategy=settings.paper.strategy,
        oversight=Oversight(settings.guards, settings.ladder, manifest.training_end) if guarded else None,
        contracts=dict(contracts or {}),
        overlay=overlay,
        panel=panel,
    )


def decide_by(bundle: Predictor, failing: FailingMembers | None = None, *, allow_training_span: bool) -> Decide:
    """How a session decides: by the bundle, on markets whose newest candle has closed.

    Args:
        bundle: bundle or series.
        failing: members that are benched because they fail; None without such a bench.
        allow_training_span: also on bars that trained it.
    """
    if failing is None:

        def decide(markets: Sequence[Candles], now: int) -> list[Signal]:
            return bundle.predict_many(markets, now=now, allow_training_span=allow_training_span)

        return decide
    watched, watch = bundle.with_bench(failing.bench_with(bundle.bench_of)), failing
    length = timeframe_ms(bundle.manifest.timeframe)

    def decide_and_watch(markets: Sequence[Candles], now: int) -> list[Signal]:
        watch.begin(now - length)
        signals = watched.predict_many(markets, now=now, allow_training_span=allow_training_span)
        watch.add(signals)
        return signals

    return decide_and_watch


@contextmanager
def open_feed(
    data: Data | None, bundle: Predictor, settings: Settings, progress: Progress, options: PaperOptions
) -> Iterator[tuple[Feed, dict[str, Contract], bool]]:
    """The bars of a session, the exchange's rules of their markets, and whether the candles are synthetic.

    Args:
        data: stored candles to replay; None for the live candles of the exchange of the settings.
        bundle: its timeframe and, where none are named, its markets.
        settings: feed and exchange.
        progress: of reading candles.
        options: markets and span.
    """
    if data is not None:
        yield open_replay(data, bundle, settings, progress, options)
        return
    with _live(bundle, settings, options) as (feed, contracts):
        yield feed, contracts, False


@contextmanager
def _live(bundle: Predictor, settings: Settings, options: PaperOptions) -> Iterator[tuple[Feed, dict[str, Contract]]]:
    """Closing bars of an exchange, and the rules of its markets."""
    from quorate.market.exchange import Exchange, LiveFeed
    from quorate.trading.account.contracts import ask_contracts

    with Exchange(settings.exchange) as exchange:
        symbols = split_names(options.get("symbols")) or _live_symbols(exchange, bundle, settings, options.get("top"))
        contracts = ask_contracts(exchange, symbols)
        yield LiveFeed(exchange, symbols, bundle.manifest.timeframe, settings.feed, settings.quality), contracts


def _live_symbols(exchange: Exchange, bundle: Predictor, settings: Settings, count: int | None) -> tuple[str, ...]:
    if count is None:
        return tuple(bundle.manifest.symbols)
    from quorate.core.clock import now_ms
    from quorate.market.exchange import top

    return tuple(top(exchange, count, now_ms(), settings.universe).symbols)
