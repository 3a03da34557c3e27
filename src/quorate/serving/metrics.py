"""Metrics of a service for Prometheus, in a registry of its own.

Names and labels are the interface of the alert rules and dashboards: METRICS lists them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError
from quorate.evaluation.drift.stored_check import read_check
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.serving.candles import NewestCandles
from quorate.serving.champion import BundleSwap, Champion
from quorate.serving.limits.admission import Admission, is_stream
from quorate.serving.limits.work_queue import WorkQueue
from quorate.serving.live.account import LiveAccount
from quorate.workflows.results.signals import MarketSignals

#: Metric -> its meaning.
METRICS = MappingProxyType(
    {
        "quorate_signals_total": "Signals that were answered, by market and action.",
        "quorate_signal_seconds": "Time of a prediction, of one market or of a batch.",
        "quorate_http_requests_total": "Requests by route, method and status.",
        "quorate_http_request_seconds": "Time of a request until its answer has been sent; event streams not counted.",
        "quorate_http_shed_total": "Requests that were refused for lack of room: queue, requests or streams.",
        "quorate_event_streams": "Open event streams.",
        "quorate_bundle_info": "1, with the bundle in use and its mode.",
        "quorate_bundle_members": "Configured members of the bundle in use.",
        "quorate_bundle_members_loaded": "Members that are loaded.",
        "quorate_bundle_members_benched": "Members that are benched: their votes do not count.",
        "quorate_bundle_swaps_total": "New champions: swapped, or refused.",
        "quorate_drift_alarm": "1 while the newest check finds that the bundle in use drifts; none without a check.",
        "quorate_drift_check_age_seconds": "Age of the newest check of the bundle in use for drift.",
        "quorate_retraining_failed": "1 while the last run of retraining has failed; none without a run.",
        "quorate_retraining_timestamp_seconds": "When the last run of retraining ended, seconds since 1970.",
        "quorate_bar_seconds": "Length of a bar.",
        "quorate_data_age_seconds": "Time since the newest bar of a market closed; +Inf without candles.",
        "quorate_equity_usd": "Equity of the paper account.",
        "quorate_drawdown_fraction": "Distance of the equity below its highest, a fraction.",
        "quorate_open_positions": "Open positions of the account.",
        "quorate_guard_halted": "1 while a guard has halted the account.",
        "quorate_ladder_step": "Step of the ladder.",
        "quorate_journal_lag_seconds": "Time since a bar should be in the journal; 0 while it is; not of a replay.",
    }
)

# Upper limits of histogram buckets, s: a prediction takes about 2 ms, a batch of 100 markets 100 ms.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

# Labels must be few, whatever clients send.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counters of a service. Parts of it with figures of their own register a collector.

    Attributes:
        registry: what `/metrics` shows.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._signals = self._counter("quorate_signals_total", "symbol", "action")
        self._seconds = self._histogram("quorate_signal_seconds")
        self._requests = self._counter("quorate_http_requests_total", "route", "method", "status")
        self._request_seconds = self._histogram("quorate_http_request_seconds", "route")
        self._swaps = self._counter("quorate_bundle_swaps_total", "result")
        for result in ("swapped", "refused"):
            self._swaps.labels(result)

    def count_signals(self, signals: MarketSignals, seconds: float) -> None:
        """Count the signals of one prediction."""
        self._seconds.observe(seconds)
        for each in signals:
            self._signals.labels(each.symbol, each.signal.action.name).inc()

    def count_swap(self, swap: BundleSwap) -> None:
        """Count a new champion."""
        self._swaps.labels(swap.result).inc()

    def count_request(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was answered. Paths that no route has count as one."""
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(route, method, str(status)).inc()
        if not is_stream(scope):
            self._request_seconds.labels(route).observe(seconds)

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(name, METRICS[name], labels, registry=self.registry)

    def _histogram(self, name: str, *labels: str) -> Histogram:
        return Histogram(name, METRICS[name], labels, registry=self.registry, buckets=_BUCKETS)


class ServiceCollector(Collector):
    """Figures of a service that are read when they are asked for."""

    def __init__(
        self,
        champion: Champion,
        candles: NewestCandles,
        work: WorkQueue,
        admission: Admission,
        clock: Callable[[], int],
    ) -> None:
        self._champion, self._candles = champion, candles
        self._work, self._admission, self._clock = work, admission, clock

    def collect(self) -> Iterator[Metric]:
        """The bundle in use, age of the data, streams, and refused requests."""
        predictor = self._champion.predictor
        members = predictor.newest.members
        yield _gauge("quorate_bundle_info", {(predictor.id, predictor.mode): 1.0}, "bundle", "mode")
        yield _gauge("quorate_bundle_members", {(): float(len(members))})
        yield _gauge("quorate_bundle_members_loaded", {(): float(len(members.sessions))})
        benched = predictor.newest.bench.at(self._clock())
        yield _gauge("quorate_bundle_members_benched", {(): float(len(benched))})
        now, length = self._clock(), timeframe_ms(self._candles.timeframe)
        newest = ((symbol, self._candles.newest(symbol)) for symbol in self._candles.symbols)
        ages = {(symbol,): float("inf") if bar is None else max(0, now - bar - length) / 1000 for symbol, bar in newest}
        yield _gauge("quorate_bar_seconds", {(): length / 1000})
        yield _gauge("quorate_data_age_seconds", ages, "symbol")
        yield _gauge("quorate_event_streams", {(): float(self._admission.streams)})
        shed = CounterMetricFamily("quorate_http_shed", METRICS["quorate_http_shed_total"], labels=("reason",))
        shed.add_metric(("queue",), self._work.shed)
        shed.add_metric(("requests",), self._admission.shed_requests)
        shed.add_metric(("streams",), self._admission.shed_streams)
        yield shed


class LifecycleCollector(Collector):
    """Drift of the bundle in use and the last retraining, from the files of both; no figure where there is no file."""

    def __init__(self, champion: Champion, clock: Callable[[], int]) -> None:
        self._champion, self._clock = champion, clock

    def collect(self) -> Iterator[Metric]:
        """Whether an alarm of drift stands, the age of its check, and how and when the last retraining ended."""
        champion = self._champion
        try:
            check = read_check(champion.path, champion.predictor.newest.id)
        except DataError:
            check = None  # the page Models shows why
        if check is not None:
            age = max(0, self._clock() - check.checked_at) / 1000
            yield _gauge("quorate_drift_alarm", {(): float(check.verdict == "drifting")})
            yield _gauge("quorate_drift_check_age_seconds", {(): age})
        run = None if champion.store is None else RunLog(champion.store.folder).last_ended()
        if run is not None and run.ended is not None:
            yield _gauge("quorate_retraining_failed", {(): float(run.state == "failed")})
            yield _gauge("quorate_retraining_timestamp_seconds", {(): run.ended / 1000})


class AccountCollector(Collector):
    """Figures of the account as of the last look at its journal; none without one."""

    def __init__(self, account: LiveAccount, clock: Callable[[], int]) -> None:
        self._account, self._clock = account, clock

    def collect(self) -> Iterator[Metric]:
        """Equity, drawdown, positions, guards, ladder, and how late the journal is."""
        status = self._account.status
        if status is None:
            return
        found, name = status.document, status.document["account"]
        yield _gauge("quorate_equity_usd", {(name,): found["equity_usd"]}, "account")
        peak = max(status.result.equity_usd.max(initial=0.0), found["start_equity_usd"])
        yield _gauge("quorate_drawdown_fraction", {(name,): 1 - found["equity_usd"] / peak}, "account")
        yield _gauge("quorate_open_positions", {(name,): float(len(found["positions"]))}, "account")
        if found["guards"] is not None:
            # A guard of single markets halts the account where one of them does.
            halted = {(name, guard["guard"]): 0.0 for guard in found["guards"]}
            halted |= {(name, guard["guard"]): 1.0 for guard in found["guards"] if guard["mode"] == "HALTED"}
            yield _gauge("quorate_guard_halted", halted, "account", "guard")
        if found["ladder"] is not None:
            yield _gauge("quorate_ladder_step", {(name,): float(found["ladder"]["step"])}, "account")
        if found["session"]["kind"] == "live" and len(status.result.time):
            # The bar after the newest one closes two lengths after that opened.
            due = int(status.result.time[-1]) + 2 * timeframe_ms(found["timeframe"])
            lag = max(0, self._clock() - due) / 1000
            yield _gauge("quorate_journal_lag_seconds", {(name,): lag}, "account")


def _gauge(name: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    found = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for names, value in values.items():
        found.add_metric(names, value)
    return found


class MetricsMiddleware:
    """Counts every request and its time."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A client that goes away before it is answered counts as 499, as nginx has it.
        began, status = time.perf_counter(), 499

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            status = 500
            raise
        finally:
            self._metrics.count_request(scope, status, time.perf_counter() - began)
