"""What the routes of a service share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError, BundleError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import Candles, Policy, Signal
from quorate.core.types.shards import ALL, Shard
from quorate.ensemble.inference import Predictor
from quorate.lifecycle.challenge import Challenge
from quorate.market.source import CandleSource
from quorate.serving.access import Access
from quorate.serving.candles import NewestCandles, StoredCandles
from quorate.serving.champion import Champion
from quorate.serving.explanations import KeptExplanations
from quorate.serving.limits.admission import Admission
from quorate.serving.limits.work_queue import WorkQueue
from quorate.serving.live.account import LiveAccount, bundle_event
from quorate.serving.live.events import candles_event
from quorate.serving.live.hub import EventHub
from quorate.serving.live.kept_candles import KeptCandles
from quorate.serving.live.session import InsideSession, SessionSource
from quorate.serving.metrics import AccountCollector, LifecycleCollector, Metrics, ServiceCollector
from quorate.serving.scheduled_jobs import scheduled_jobs
from quorate.workflows.inputs.market_data import Data, open_source, same_kind
from quorate.workflows.inputs.predictors import require_timeframe
from quorate.workflows.inputs.selection import split_names
from quorate.workflows.paper import AccountView, PaperAccount
from quorate.workflows.results.signals import MarketSignals
from quorate.workflows.signals import predict_markets

_log = logging.getLogger(__name__)

# One for the journal's state and one for searches, so that a long search holds up nothing else.
_READERS = 2

#: A coroutine that runs as long as the service.
Background = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class ServedSignals:
    """Signals, and the bundle that they come from.

    Attributes:
        bundle: id of the bundle or series.
        signals: in the order of the markets.
    """

    bundle: str
    signals: MarketSignals


class Service:
    """The champion, the candles and the limits of one process; routes take all they need from here.

    Args:
        bundle: folder of bundles, whose champion is used and followed; or of one bundle or series.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        exchange: instead: live candles of this exchange, as ccxt names it.
        symbols: served markets; None for every market of the data of the kind the bundle was trained on, or with
            `exchange` for those of the training. Of these, the ones of the shard `serve.shard` are served.
        timeframe: None for the bundle's; any other is refused.
        policy: to decide by, instead of each bundle's own.
        allow_training_span: also predict bars of the training span; these signals are marked.
        account: paper account that is shown, whether it runs here or elsewhere; None for the one of the settings.
        session: to run the account in this process; None where it runs elsewhere.
        settings: of the service, the bundle and the candles.
        clock: returns the current time in ms.

    Attributes:
        access: token, logins, limits and log of access.
        champion: the bundle in use.
        candles: of the served markets.
        explanations: of the newest signals.
        work: threads of the predictions.
        admission: requests and event streams in progress.
        metrics: what `/metrics` shows.
        reading: threads that read the account's journal.
        events: to the event streams.
        account: the paper account.
        challenge: of the champion, in the journal of the account.
        session: that runs in this process; None where it runs elsewhere.
        background: coroutines that run as long as the service; parts of it append theirs before it starts.
        failed: those that ended, and why; the service is not ready any more.

    Raises:
        ArgumentError: no markets, none of the shard, or another timeframe.
        AccessError: a file of a token that cannot be used.
        BundleError: no bundle there, or one that cannot be loaded.
        DataError: the data cannot be read, or no market has a candle.
        SettingsError: `serve.retrain` or `serve.drift_hours` without a folder of candles, or a schedule that cannot be
            read.
    """

    def __init__(
        self,
        bundle: str | Path,
        data: Data | None = None,
        symbols: Sequence[str] | str | None = None,
        *,
        exchange: str | None = None,
        timeframe: str | None = None,
        policy: Policy | None = None,
        allow_training_span: bool = False,
        account: PaperAccount | None = None,
        session: SessionSource | None = None,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.settings, self.clock, self.allow_training_span = settings, clock, allow_training_span
        self.background: list[Background] = []
        self.failed: list[str] = []
        self.access = Access(settings.access)
        _log.info("loading %s", bundle)
        self.champion = Champion(Path(bundle), settings, policy=policy, clock=clock)
        predictor = self.champion.predictor
        require_timeframe(predictor, timeframe)
        with ExitStack() as opened:
            source = self._open_candles(data, exchange, split_names(symbols), opened)
            self.candles.refresh()
            if not self.candles.known:
                raise next(iter(self.candles.errors.values()))
            self._opened = opened.pop_all()
        self.champion.prove_with(self._require_prediction)
        self.explanations = KeptExplanations(
            self.champion,
            self.candles,
            background=settings.explain.background,
            allow_training_span=allow_training_span,
            clock=lambda: self.clock(),
        )
        self.work = WorkQueue(settings.serve.threads, settings.serve.queue, settings.serve.patience_s)
        self.admission = Admission(settings.serve.requests, settings.serve.streams)
        self.metrics = Metrics()
        self.metrics.registry.register(
            ServiceCollector(self.champion, self.candles, self.work, self.admission, self.clock)
        )
        self.metrics.registry.register(LifecycleCollector(self.champion, self.clock))
        self.champion.listeners.append(self.metrics.count_swap)
        self.reading = WorkQueue(_READERS, settings.serve.queue, settings.serve.patience_s)
        self.events = EventHub(settings.serve.events)
        self.champion.listeners.append(lambda swap: self.events.publish_from_thread(bundle_event(swap)))
        account = account or PaperAccount(settings=settings)
        view, pause_s = AccountView(account), settings.serve.journal_s
        self.challenge = Challenge(journal=account.url, settings=settings)
        self.account = LiveAccount(view, self.events, self.champion, source, pause_s=pause_s)
        self.metrics.registry.register(AccountCollector(self.account, self.clock))
        self.background += [self.account.follow, self.account.measure]
        self.session: InsideSession | None = None
        if session is not None:
            self.session = InsideSession(account, self.champion, session, self.account.look, settings.serve.retry_s)
            self.background.append(self.session.run)
        self.background += [job.run for job in scheduled_jobs(self.champion, data, exchange, settings)]
        self._log_mode(predictor)

    def _open_candles(
        self, data: Data | None, exchange: str | None, symbols: tuple[str, ...], opened: ExitStack
    ) -> CandleSource:
        """Open the candles of the served markets; their source."""
        if (data is None) == (exchange is None):
            raise ArgumentError(
                "choose the candles",
                found="neither `data` nor `exchange`" if data is None else "both `data` and `exchange`",
                expected="one of them",
            )
        predictor, settings = self.champion.predictor, self.settings
        shard = Shard.parse(settings.serve.shard)
        length = predictor.manifest.timeframe
        if exchange is not None:
            from quorate.market.exchange import Exchange, LiveFeed
            from quorate.serving.live_candles import LiveCandles

            client = opened.enter_context(Exchange(replace(settings.exchange, name=exchange), clock=self.clock))
            names = shard.require(symbols or predictor.manifest.symbols)
            live = LiveCandles(LiveFeed(client, names, length, settings.feed, settings.quality), shard)
            self.candles: NewestCandles = live
            self.clock = live.now
            self.background.append(live.follow)
            return KeptCandles(client)
        assert data is not None  # noqa: S101 - for the type checker
        source = open_source(data, symbols, length)
        names = symbols or same_kind(source, predictor)
        if not names:
            raise ArgumentError(
                "choose the markets", found="none of the bundle's kind in the data", expected="`symbols` with candles"
            )
        own, bars = shard.require(names), settings.serve.bars
        self.candles = StoredCandles(source, own, length, bars=bars, clock=self.clock, shard=shard)
        return source

    def predict(self, symbols: Sequence[str] | None = None) -> ServedSignals:
        """The decision at the newest closed bar of some markets, in one batch by one bundle.

        Args:
            symbols: None for all that can be predicted now; without one, the error of the first is raised.

        Raises:
            ShardError: a market of another shard.
            UnknownSymbolError: a market that is not served.
            QuorateError: as `predict_markets`.
        """
        predictor = self.champion.predictor  # read once: it may be replaced meanwhile
        if symbols is None:
            known = self.candles.known
            panel = [candles for candles in known if self._may_predict(predictor, candles)] or list(known[:1])
        else:
            panel = [self.candles.of(symbol) for symbol in symbols]
        began = time.perf_counter()
        made = predict_markets(predictor, panel, now=self.clock(), allow_training_span=self.allow_training_span)
        self.metrics.count_signals(made, time.perf_counter() - began)
        if self.account.judged:
            votes = (self.account.panel_vote(each.symbol, each.time) for each in made)
            judged = (replace(each, panel=vote) for each, vote in zip(made, votes, strict=True))
            made = replace(made, signals=tuple(judged))
        return ServedSignals(predictor.id, made)

    def stop(self) -> None:
        """End what would keep connections open; called when the server stops."""
        self.events.close()

    def close(self) -> None:
        """Release threads and journals, after the last request."""
        self.work.close()
        self._opened.close()
        self.reading.close()
        self.account.view.close()

    def refresh(self) -> None:
        """Read new candles, tell the event streams of them, and follow the champion."""
        if advanced := self.candles.refresh():
            self.events.publish_from_thread(candles_event(advanced))
        self.champion.follow()

    def probe(self) -> tuple[ServedSignals, float]:
        """One real prediction of the first market that can be predicted, and how long it took, s.

        Raises:
            BundleError: there are members, and none of them voted or was benched.
            QuorateError: a part of the service has ended, such as the reading of new candles. And all errors of
                `predict_markets`.
        """
        if self.failed:
            raise QuorateError(
                "serve", found="; ".join(self.failed), expected="all parts of the service", remedy="Restart it."
            )
        predictor = self.champion.predictor
        known = self.candles.known
        ready = next((candles for candles in known if self._may_predict(predictor, candles)), known[0])
        began = time.perf_counter()
        made = predict_markets(predictor, [ready], now=self.clock(), allow_training_span=self.allow_training_span)
        seconds = time.perf_counter() - began
        if made.mode != "none":
            _require_votes(made[0].signal, predictor.id)
        return ServedSignals(predictor.id, made), seconds

    def _may_predict(self, predictor: Predictor, candles: Candles) -> bool:
        """Whether a market's newest bar lies outside the training span, or may lie in it."""
        return self.allow_training_span or not bool(predictor.in_training_span(candles.time[-1:])[0])

    def _require_prediction(self, new: Predictor, old: Predictor) -> None:
        """Require that a new champion predicts a bar which the present one predicts."""
        candles, now = self.candles.known[0], self.clock()
        # Candles of the training span prove as well that its members run; the signal is not shown.
        made, before = (each.predict(candles, now=now, allow_training_span=True) for each in (new, old))
        if before.votes or before.benched or before.unselected or before.forecasts:
            _require_votes(made, new.id)

    def _log_mode(self, predictor: Predictor) -> None:
        members = predictor.newest.members
        benched = {
            model: why for model, why in predictor.newest.bench.at(self.clock()).items() if model in members.sessions
        }
        chosen = predictor.newest.bench.membership.at(self.clock(), members.order)
        total, quorum = len(chosen), predictor.newest.quorum
        mode = predictor.newest.mode_at(self.clock())
        voting = sum(model in members.sessions and model not in benched for model in chosen)
        _log.info("mode %s %d/%d, quorum %d/%d", mode.upper(), voting, total, quorum, total)
        if total < len(members):
            _log.info("of %d members %s vote", len(members), ", ".join(chosen))
        for model, why in benched.items():
            _log.warning("%s: benched: %s", model, why)
        without = f", {len(self.candles.errors)} of them without candles" if self.candles.errors else ""
        of = "" if self.candles.shard == ALL else f", shard {self.candles.shard}"
        _log.info("%d markets of %s%s%s", len(self.candles.symbols), self.candles.timeframe, of, without)


def _require_votes(signal: Signal, bundle: str) -> None:
    """Require that a member voted, or would have voted if it were chosen and not benched.

    Raises:
        BundleError: none did; names their reasons.
    """
    if not signal.votes and not signal.benched and not signal.unselected and not signal.forecasts:
        reasons = "; ".join(f"{out.model}: {out.reason}" for out in signal.abstentions)
        raise BundleError(
            f"predict {signal.symbol} by the bundle {bundle}", found=f"no vote ({reasons})", expected="at least one"
        )
