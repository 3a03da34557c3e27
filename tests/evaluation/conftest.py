"""A small run made by hand: random walks, two members with a little skill, decisions by a plain rule, some trades."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import EvaluationSettings, Settings, TargetSettings, VoteSettings
from quorate.core.types import Action, Candles, DecisionFrame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.configurations import apply_policy
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.baselines.strategies import SingleModel
from quorate.evaluation.evaluate_decisions import TradedDecisions, evaluate_decisions
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.report import ReportedRun
from quorate.evaluation.scorecard import Scorecard
from quorate.targets.classes import ForwardClass
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

START = parse_ms("2025-08-01")


WORTH = {"rsi_14": 0.02, "macd": 0.01, "<b>column</b>": -0.001}

NEXT_BAR = ForwardClass(horizon=1, band=0.003)


def walk(symbol: str, bars: int, seed: int, synthetic: bool = False) -> Candles:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, bars)))
    opened = np.concatenate([[100.0], close[:-1]])
    time = START + np.arange(bars) * HOUR_MS
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    return Candles(symbol, "1h", time, opened, high, low, close, np.ones(bars), synthetic=synthetic)


def decided(candles: Candles, seed: int) -> DecisionFrame:
    """Two members that see the next bar through much noise; the second abstains on the first ten bars."""
    rng = np.random.default_rng(seed)
    labels, n = NEXT_BAR.label(candles), len(candles)
    scores = {}
    for name in ("xgboost", "lightgbm"):
        leaning = 0.25 * np.eye(3)[labels.y] + 0.75 * rng.dirichlet([2, 2, 2], n)
        scores[name] = leaning / leaning.sum(axis=1, keepdims=True)
    scores["lightgbm"][:10] = np.nan
    mean = np.where(np.isfinite(scores["lightgbm"]), (scores["xgboost"] + scores["lightgbm"]) / 2, scores["xgboost"])
    confidence = mean.max(axis=1)
    acts = confidence > 0.6
    agree = scores["xgboost"].argmax(axis=1) == np.nan_to_num(scores["lightgbm"], nan=0).argmax(axis=1)
    return DecisionFrame(
        symbol=candles.symbol,
        timeframe="1h",
        time=candles.time,
        action=np.where(acts, mean.argmax(axis=1), Action.HOLD).astype(np.int8),
        confidence=confidence,
        base=confidence,
        consensus=np.where(agree, "strong", "weak"),
        rule=np.where(acts, "vote", "below_floor"),
        volatility=np.full(n, 0.006),
        scores=scores,
        synthetic=candles.synthetic,
    )


def trade(net_usd: float, *, day: float = 0.0, symbol: str = "AAA/USDT:USDT", hours: int = 4, **more: object) -> Trade:
    """A long of $100 that nets `net_usd`, after $0.10 of fees and $0.04 of slippage, with $0.02 of funding received."""
    entry_time = START + int(day * DAY_MS)
    fields: dict[str, object] = {
        "symbol": symbol,
        "side": 1,
        "quantity": 1.0,
        "leverage": 2.0,
        "margin_usd": 50.0,
        "confidence": 0.8,
        "decided": entry_time - HOUR_MS,
        "entry_time": entry_time,
        "entry_price": 100.0,
        "exit_time": entry_time + hours * HOUR_MS,
        "exit_price": 100.0 + net_usd + 0.08,
        "stop": 95.0,
        "target": 110.0,
        "reason": "target" if net_usd > 0 else "stop",
        "gross_usd": net_usd + 0.12,
        "fee_usd": 0.10,
        "slippage_usd": 0.04,
        "funding_usd": 0.02,
        "funding_known": True,
        "mark_known": True,
    }
    return Trade(**{**fields, **more})  # type: ignore[arg-type]


def backtested(trades: list[Trade], equity: np.ndarray, start_usd: float = 1_000.0, **more: object) -> BacktestResult:
    fields: dict[str, object] = {
        "timeframe": "1h",
        "symbols": tuple(sorted({trade.symbol for trade in trades})),
        "currency": "USD",
        "start_equity_usd": start_usd,
        "trades": tuple(trades),
        "time": START + np.arange(len(equity)) * HOUR_MS,
        "equity_usd": np.asarray(equity, np.float64),
        "exposure": 0.25,
        "refused": {"no_slot": 3},
        "synthetic": False,
        "funding_unknown": (),
        "mark_missing": (),
    }
    return BacktestResult(**{**fields, **more})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Run:
    candles: dict[str, Candles]
    frames: dict[str, DecisionFrame]
    sample: LabelledPredictions
    result: BacktestResult


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Run]:
    def make(symbols: tuple[str, ...] = ("AAA/USDT:USDT", "BBB/USDT:USDT"), bars: int = 480, synthetic: bool = False):
        candles = {symbol: walk(symbol, bars, place, synthetic) for place, symbol in enumerate(symbols)}
        frames = {symbol: decided(bars_, place) for place, (symbol, bars_) in enumerate(candles.items())}
        rng = np.random.default_rng(9)
        trades = [
            trade(float(rng.normal(0.2, 2)), day=day, symbol=symbols[place % len(symbols)])
            for place, day in enumerate(np.linspace(0.1, bars / 24 - 1, 70))
        ]
        equity = 1_000 + np.cumsum(rng.normal(0.03, 1, bars))
        result = backtested(trades, equity, synthetic=synthetic)
        return Run(candles, frames, LabelledPredictions.of(frames, candles, NEXT_BAR), result)

    return make


@pytest.fixture(scope="session")
def make_card(make_run: Callable[..., Run]) -> Callable[..., Scorecard]:
    """A scorecard with every section of the report: baselines, random entries, configurations, importance."""

    def make(**more: Any) -> Scorecard:
        run = make_run(**more)
        settings = Settings(
            evaluation=EvaluationSettings(draws=4, resamples=60, floors=(0.6, 0.75)),
            target=TargetSettings(horizon=1, band=0.003),
            vote=VoteSettings(floor=0.5),
        )
        setup = BacktestSetup(run.candles, {}, settings, 1)
        frames = {symbol: replace(frame, volatility=np.full(len(frame), 0.006)) for symbol, frame in run.frames.items()}
        frames = apply_policy(frames, settings.vote, 2)
        scores = {symbol: frame.scores["xgboost"] for symbol, frame in frames.items()}
        traded = TradedDecisions(
            frames=frames,
            result=setup.trade(frames),
            setup=setup,
            members=("xgboost", "lightgbm"),
            prior=lambda sample: class_prior(sample.y),
            models={
                "logistic": SingleModel(scores, "logistic on the same training rows"),
                "best_member": SingleModel(scores, "the best"),
            },
        )
        card = evaluate_decisions(traded, settings)
        columns = [{"column": name, "log_loss": worth, "log_loss_ci": [0, 2 * worth]} for name, worth in WORTH.items()]
        card.figures["importance"] = {"about": "shuffled", "models": {"xgboost": columns, "lightgbm": columns[::-1]}}
        card.figures["provenance"] = {"command": "quorate evaluate", "data_hash": "0123456789abcdef"}
        return card

    return make


@pytest.fixture(scope="session")
def make_reported(make_run: Callable[..., Run], make_card: Callable[..., Scorecard]) -> Callable[..., ReportedRun]:
    """The run of a scorecard with every section, as a report shows it."""

    def make(**more: Any) -> ReportedRun:
        run, card = make_run(**more), make_card(**more)
        settings = Settings(evaluation=EvaluationSettings(draws=4, resamples=60, market_paths=10))
        settings = replace(settings, target=TargetSettings(horizon=1, band=0.003), vote=VoteSettings(floor=0.5))
        setup = BacktestSetup(run.candles, {}, settings, 1)
        frames = apply_policy(run.frames, settings.vote, 2)
        return ReportedRun.of({**card.figures, "bundle": "0123abcd"}, frames, setup.trade(frames), setup, card)

    return make


@pytest.fixture(scope="session")
def run(make_run: Callable[..., Run]) -> Run:
    return make_run()


@pytest.fixture(scope="session")
def make_trade() -> Callable[..., Trade]:
    return trade


@pytest.fixture(scope="session")
def make_result() -> Callable[..., BacktestResult]:
    return backtested


class Browser:
    """A headless Chromium, spoken to in its DevTools protocol over a pipe: JSON messages that end with a zero byte."""

    def __init__(self, program: str, profile: Path) -> None:
        requests, answers = os.pipe(), os.pipe()
        # The program reads what it is told from descriptor 3 and answers on 4; high numbers keep the two apart.
        self._reads, self._writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 30) for end in (requests[0], answers[1]))
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
            f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{self._reads} 4>&{self._writes}', program, *options],
            pass_fds=(self._reads, self._writes),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (requests[0], answers[1], self._reads, self._writes):
            os.close(end)
        self._to, self._from = requests[1], answers[0]
        self._pending, self._number = b"", 0
        self._events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        # In time of the processor, so that a busy machine does not count.
        self.ask("Performance.enable", timeDomain="threadTicks")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; what happens meanwhile is kept."""
        self._number += 1
        session = {"sessionId": self._session} if hasattr(self, "_session") else {}
        message = {"id": self._number, "method": method, "params": parameters, **session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._events.append(answer)

    def look(self, address: str, width: int, scheme: str, script: str) -> Any:
        """Open a page in a window of this width and colour scheme, and ask it."""
        self._events.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())
        # One frame later, plots have followed their places.
        waiting = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
        self.ask("Runtime.evaluate", expression=waiting, awaitPromise=True)
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"]["value"]

    def complaints(self) -> list[dict[str, Any]]:
        """What the page logged, threw or was refused since it was opened."""
        loud = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event for event in self._events if event["method"] in loud]

    def busy_seconds(self) -> float:
        """Time of the processor that the page's main thread has taken since the page was opened."""
        metrics = self.ask("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        self._process.wait(20)
        os.close(self._to)
        os.close(self._from)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._from], [], [], 60)
            assert ready, "the browser does not answer"
            more = os.read(self._from, 65_536)
            assert more, "the browser has ended"
            self._pending += more
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)


@pytest.fixture(scope="session")
def open_browser() -> Callable[[Path], AbstractContextManager[Browser]]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: install it to see the page drawn")
    return lambda profile: closing(Browser(program, profile))
