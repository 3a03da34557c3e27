"""The decisions of a bundle in a paper account, with the candles that show their outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from quorate.core.arguments import TEXT, require_types
from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import ArgumentError, EvaluationError

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.evaluation.live_performance import LiveDecisions
    from quorate.market.source import CandleSource
    from quorate.trading.paper import DecidedVotes
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.paper.measured_bundle import MeasuredBundle


def live_decisions_of(
    account: str, votes: DecidedVotes, trained: MeasuredBundle, source: CandleSource, settings: Settings
) -> LiveDecisions:
    """The decisions of a bundle in an account with the candles that show their outcomes; arguments as `performance_of`.

    Raises:
        EvaluationError: no decision of this bundle, or one that predicts returns.
        DataError: candles that cannot be read.
    """
    from quorate.evaluation.live_performance import LiveDecisions

    manifest = trained.manifest
    require_measurable(account, trained, votes)
    frames = votes.frames(trained.id, manifest.decides)
    target = replace(manifest.target, horizon=manifest.horizon)
    return LiveDecisions(
        frames=frames,
        candles={symbol: known for symbol in frames if (known := _candles(source, symbol, votes)) is not None},
        members=[member.model for member in manifest.members],
        prior_at=trained.prior_at,
        settings=replace(settings, vote=manifest.policy, target=target),
    )


@contextmanager
def candle_source(data: Data | None, exchange: str | None, settings: Settings) -> Iterator[CandleSource]:
    """Stored candles, or those of an exchange.

    Raises:
        ArgumentError: neither or both.
        DataError: a folder that cannot be read.
    """
    from quorate.workflows.inputs.market_data import open_source

    require_types("measure the performance", exchange=(exchange, TEXT.optional))
    if (data is None) == (exchange is None):
        raise ArgumentError(
            "measure the performance",
            found="both `data` and `exchange`" if data is not None else "neither `data` nor `exchange`",
            expected="`data` for stored candles, or `exchange` for those of an exchange",
        )
    if data is not None:
        yield open_source(data)
        return
    from quorate.market.exchange import Exchange

    with Exchange(replace(settings.exchange, name=str(exchange))) as source:
        yield source


def require_measurable(account: str, trained: MeasuredBundle, votes: DecidedVotes) -> None:
    """Require decisions of a bundle that votes.

    Raises:
        EvaluationError: none, or a stack.
    """
    attempted, counts = f"measure the performance of the account '{account}'", votes.counts()
    if not trained.manifest.class_prior:
        raise EvaluationError(
            attempted,
            found=f"{trained.id}, a stack, whose members predict returns",
            expected="a bundle that votes",
        )
    if trained.id not in counts:
        made = ", ".join(counts) or "none"
        raise EvaluationError(
            attempted,
            found=f"no decision by {trained.id}",
            expected=f"a bundle that decided in it: {made}",
            remedy="Name the bundle that the account trades by, or the folder of bundles that it is in.",
        )


def _candles(source: CandleSource, symbol: str, votes: DecidedVotes) -> Candles | None:
    """Closed candles of a market; None where the source has none."""
    from quorate.workflows.inputs.market_data import warm_start

    if symbol not in source.symbols(votes.timeframe):
        return None
    # Of an exchange, earlier candles would only be downloaded.
    start = warm_start(votes.oldest, votes.timeframe)
    if votes.mode == "replay":
        end = (votes.newest or 0) + timeframe_ms(votes.timeframe)
        return source.candles(symbol, votes.timeframe, start, end)
    return source.candles(symbol, votes.timeframe, start).closed(now_ms())
