"""The page "Now": the newest signal of every market, with each member's vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from quorate.core.types import Action
from quorate.ensemble.inference import Predictor
from quorate.serving.caller import address
from quorate.serving.dashboard.newest import NewestSignals
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.reasons import reason
from quorate.serving.dashboard.rows.account_rows import ShownAccount
from quorate.trading.entry_panel import PanelVote
from quorate.workflows.results.signals import MarketSignal, MarketSignals

#: Column -> what rows are sorted by.
_ORDERS: dict[str, Callable[[MarketRow], Any]] = {
    "market": lambda row: row.symbol,
    "action": lambda row: (row.action == "HOLD", row.action, -row.confidence),
    "confidence": lambda row: row.confidence,
    "probability": lambda row: -1.0 if row.probability is None else row.probability,
    "volatility": lambda row: -1.0 if row.volatility is None else row.volatility,
    "time": lambda row: row.time,
}
# Columns whose largest values are most wanted.
_LARGEST_FIRST = frozenset({"confidence", "probability", "volatility", "time"})


@dataclass(frozen=True, slots=True)
class VoteCell:
    """A member's vote in a row: its action and score, its predicted return in a stack, or why it abstained."""

    model: str
    action: str = ""
    score: float | None = None
    predicted_return: float | None = None
    abstained: str = ""


@dataclass(frozen=True, slots=True)
class MarketRow:
    """A market's newest signal, as a row of the table.

    Attributes:
        time: open time of the bar, ms.
        confidence: of the decision, a score.
        probabilities: of SELL, HOLD and BUY, calibrated; None without calibration.
        probability: the one of the action.
        why: the rule that decided, as a sentence.
        votes: of all members, in the order of the bundle.
        panel: judgement of the paper account's panel of language models; None where it was not asked.
    """

    symbol: str
    time: int
    action: str
    confidence: float
    consensus: str
    probabilities: tuple[float, float, float] | None
    probability: float | None
    volatility: float | None
    why: str
    votes: tuple[VoteCell, ...]
    stale: bool
    trained: bool
    in_training_span: bool
    panel: PanelVote | None = None


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """Which markets are shown, and in which order, from the address of the page.

    Attributes:
        sort: a column.
        reverse: against the column's own order.
        find: part of a market's name.
        action: BUY, SELL, HOLD or "".
    """

    sort: str = "action"
    reverse: bool = False
    find: str = ""
    action: Literal["BUY", "SELL", "HOLD", ""] = ""

    @classmethod
    def of(cls, request: Request) -> MarketFilter:
        """From the query; what it does not know is left out."""
        query = request.query_params
        sort, action = query.get("sort", ""), query.get("action", "")
        return cls(
            sort=sort if sort in _ORDERS else "action",
            reverse=query.get("order") == "reverse",
            find=query.get("find", "").strip()[:60],
            action=action if action in Action.__members__ else "",  # type: ignore[arg-type]
        )

    def apply(self, rows: Sequence[MarketRow]) -> list[MarketRow]:
        """The rows that are shown, in order; equal ones by market."""
        wanted = self.find.casefold()
        kept = [
            row for row in rows if wanted in row.symbol.casefold() and (not self.action or row.action == self.action)
        ]
        kept.sort(key=lambda row: row.symbol)
        kept.sort(key=_ORDERS[self.sort], reverse=self.reverse != (self.sort in _LARGEST_FIRST))
        return kept


def add_now(router: APIRouter, pages: Pages, newest: NewestSignals) -> None:
    """Add the page."""
    service = pages.service

    @router.get(HOME)
    async def now(request: Request) -> Response:
        predictor, served = await service.work.run(address(request), newest.read)
        votes = {each.symbol: service.account.panel_vote(each.symbol, each.time) for each in served}
        rows = [replace(row, panel=votes[row.symbol]) for row in market_rows(predictor, served)]
        shown = {row.symbol for row in rows} | set(service.candles.errors)
        selection = MarketFilter.of(request)
        return pages.render(
            request,
            "now.html",
            account=ShownAccount.of(service),
            rows=selection.apply(rows),
            selection=selection,
            markets=len(rows),
            counts=Counter(row.action for row in rows),
            newest=served.newest,
            models=predictor.newest.members.order,
            judged=any(votes.values()),
            calibrated=any(row.probability is not None for row in rows),
            closed=next((each.signal.closed_because for each in served if each.signal.closed_because), ""),
            floor=predictor.manifest.policy.floor if gates(predictor) else None,
            left_out=[symbol for symbol in service.candles.symbols if symbol not in shown],
            unread={symbol: str(error) for symbol, error in service.candles.errors.items()},
        )


def gates(predictor: Predictor) -> bool:
    """Whether the policy in force has the floor and the volatility gate of the vote."""
    return predictor.decides in ("classic", "consensus")


def market_rows(predictor: Predictor, served: MarketSignals) -> list[MarketRow]:
    """A row for each signal."""
    return [_row(predictor, each) for each in served]


def _row(predictor: Predictor, each: MarketSignal) -> MarketRow:
    made, models = each.signal, predictor.newest.members.order
    found = {
        **{out.model: VoteCell(out.model, abstained=out.reason) for out in made.abstentions},
        **{vote.model: VoteCell(vote.model, vote.action.name, vote.score) for vote in made.votes},
        **{
            own.model: VoteCell(own.model, own.action.name, predicted_return=own.predicted_return)
            for own in made.forecasts
        },
    }
    return MarketRow(
        symbol=made.symbol,
        time=each.time,
        action=made.action.name,
        confidence=made.confidence,
        consensus=made.consensus.replace("_", " "),
        probabilities=made.probabilities,
        probability=None if made.probabilities is None else made.probabilities[made.action],
        volatility=made.volatility,
        why=reason(made, predictor.manifest.policy, len(models)),
        votes=tuple(found.get(model, VoteCell(model, abstained="not run")) for model in models),
        stale=each.stale,
        trained=each.trained_symbol,
        in_training_span=each.in_training_span,
    )
