"""Documents of `/paper`: the ones of `quorate paper status --json`, and the account's trades and equity."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from quorate.serving.documents.document import Document
from quorate.serving.documents.signals import VoteDocument

Mode = Literal["ACTIVE", "REDUCING", "HALTED"]
Side = Literal["long", "short"]
Pair = list[float]
#: Figure that is null -> why.
Missing = dict[str, str]


class SessionDocument(Document):
    """The newest session."""

    began: str
    number: int
    kind: Literal["live", "replay"]
    running: bool | None = Field(description="Whether it is writing the account now; null where that is not known.")


class PositionDocument(Document):
    """An open position; prices in quote units, times in UTC."""

    symbol: str
    side: Side
    quantity: float
    leverage: float
    margin_usd: float
    entry_time: str
    entry_price: float
    mark: float
    weight: float | None = Field(
        description="Value as a fraction of equity, negative for a short; null without equity."
    )
    stop: float | None = Field(description="Null of a position by target.")
    target: float | None
    liquidation_price: float = Field(description="0 on cross margin, where the account is liquidated as a whole.")
    due: str | None
    confidence: float
    funding_usd: float
    unrealised_usd: float


class PendingDocument(Document):
    """An order for the next open."""

    symbol: str
    side: Side
    confidence: float


class GuardDocument(Document):
    """A guard; `rearm` says who clears it, `state` what it counts."""

    guard: str = Field(examples=["drawdown"])
    symbol: str | None
    mode: Mode
    rearm: str
    since: str | None
    until: str | None = Field(description="Before it the guard cannot be re-armed.")
    reason: str
    state: str


class ConditionDocument(Document):
    """A condition of the ladder's next step."""

    name: str
    needed: str
    found: str
    ok: bool


class LimitsDocument(Document):
    """What a step of the ladder allows."""

    capital_usd: float
    positions: int
    leverage: float


class LadderDocument(LimitsDocument):
    """The step of the ladder, and what the next one takes."""

    step: int
    steps: int
    since: str
    trades: int
    wins: int
    net_usd: float
    next: list[ConditionDocument]
    next_limits: LimitsDocument | None = Field(description="Of the next step; null at the last one.")


class DriftStateDocument(Document):
    """Drift of the bundle that decides, as of the newest bar."""

    alarm: bool
    stake_factor: float = Field(description="Share of the ordinary stake of new entries.")
    reason: str


class RequestDocument(Document):
    """A request that applies from the next bar."""

    at: str
    action: Literal["rearm", "promote"]
    guard: str
    who: str


class NoticeDocument(Document):
    """A notice of the feed."""

    time: str
    notice: str
    symbol: str | None
    detail: str


class MoveDocument(Document):
    """A move of a guard or of the ladder, or an alarm of drift that began or ended."""

    time: str
    what: str
    before: str
    after: str
    reason: str


class CriterionDocument(Document):
    """A success criterion; `ok` is null where it cannot be judged, with the reason in `note`."""

    name: str
    target: str
    measured: float | None
    ok: bool | None
    shown: str
    unit: Literal["share", "usd", "ratio"]
    interval: Pair | None
    note: str


class DecisionsDocument(Document):
    """Counts and shares of the decisions on all bars."""

    bars: int
    decided: int
    coverage: float | None
    coverage_ci: Pair | None
    fallback: float | None
    fallback_ci: Pair | None
    mean_confidence: float | None
    mean_confidence_ci: Pair | None
    missing: Missing = Field(default_factory=dict)
    actions: dict[str, int]
    consensus: dict[str, int]
    mix: dict[str, float]
    mix_ci: dict[str, Pair | None]
    rules: dict[str, int]


class VerdictDocument(Document):
    """What happened so far, or why nothing was traded."""

    sentence: str
    details: list[str]
    outcome: Literal["gain", "loss", "unclear", "none"]


class PaperDocument(Document):
    """The account as of its last completed step."""

    account: str
    session: SessionDocument
    bundle: str = Field(description="Id of the bundle that decides.")
    by_target: bool = Field(description="Whether positions follow the target weights of a book.")
    timeframe: str
    symbols: list[str]
    currency: str = Field(description="Of all amounts, also of those whose names end in _usd.")
    synthetic: bool
    written_at: str
    last_bar: str | None
    mode: Mode
    equity_usd: float
    cash_usd: float
    start_equity_usd: float
    positions: list[PositionDocument]
    pending: list[PendingDocument]
    guards: list[GuardDocument] | None = Field(description="Null in a session without guards.")
    ladder: LadderDocument | None
    drift: DriftStateDocument
    requests: list[RequestDocument]
    webhook: dict[str, int] | None
    members: dict[str, str] = Field(description='Member -> "voted" on the newest bar, or why it abstained.')
    feed: list[NoticeDocument]
    moves: list[MoveDocument]
    decisions: DecisionsDocument
    stats: dict[str, Any] = Field(description="Figures of the trades, as in `quorate backtest --json`.")
    criteria: list[CriterionDocument]
    verdict: VerdictDocument


class EquityDocument(Document):
    """Columns of equal length, one value for each shown bar."""

    start_equity_usd: float
    bars: int = Field(description="Of the account; fewer may be shown.")
    time: list[str]
    equity_usd: list[float]
    drawdown: list[float] = Field(description="Below the highest equity before, a fraction.")
    buy_and_hold_usd: list[float | None] | None = Field(
        description="Equal amounts of each market; null without candles, and on bars that are not compared yet."
    )


class TradeDocument(Document):
    """A closed trade, and the decision that it was entered on."""

    number: int = Field(description="Of its record in the journal.")
    symbol: str
    side: Side
    quantity: float
    leverage: float
    margin_usd: float
    confidence: float
    decided: str
    entry_time: str
    entry_price: float
    exit_time: str
    exit_price: float
    stop: float
    target: float
    reason: str
    gross_usd: float
    fee_usd: float
    slippage_usd: float
    funding_usd: float
    net_usd: float
    funding_known: bool
    mark_known: bool
    consensus: str | None
    rule: str | None
    line: str | None
    votes: list[VoteDocument]


class InsideDocument(Document):
    """The session inside this process."""

    state: Literal["starting", "standby", "running", "ended", "failed"]
    error: str | None
