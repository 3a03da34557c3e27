"""Documents that the tools return, with the keys of the command line's `--json`; their schemas are published.

Times are ISO 8601 in UTC. Shares, probabilities and returns are fractions. Amounts whose names end in _usd are in the
currency of the account. A figure that could not be measured is null.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

ActionName = Literal["SELL", "HOLD", "BUY"]


class VoteReply(BaseModel):
    """Vote of one member on one bar."""

    model: str
    action: ActionName
    score: float | None = Field(description="Raw score of the action, 0 to 1; not a probability. Null in a stack.")
    scores: list[float] | None = Field(description="Raw scores of SELL, HOLD and BUY.")
    probabilities: list[float] | None = Field(description="Calibrated probabilities of SELL, HOLD and BUY.")


class AbstentionReply(BaseModel):
    """A member that did not vote, with the reason."""

    model: str
    reason: str


class SignalReply(BaseModel):
    """Decision at a market's newest closed bar, as `quorate signal --json` prints it."""

    symbol: str
    time: str | None = Field(description="Open time of the bar.")
    action: ActionName
    confidence: float
    consensus: str
    rule: str = Field(description="The rule that decided: of a HOLD, why there is no trade.")
    policy: str
    mode: Literal["full", "partial", "none"] = Field(description="How many members are loaded and not benched.")
    volatility: float | None
    probabilities: list[float] | None
    expected_return: float | None
    prediction_set: list[str] | None
    votes: list[VoteReply]
    abstentions: list[AbstentionReply]
    line: str
    trained_symbol: bool
    in_training_span: bool
    synthetic: bool


class SignalsReply(BaseModel):
    """Signals of some markets."""

    bundle: str
    mode: Literal["full", "partial", "none"]
    stale: bool = Field(description="The candles are old: these are decisions of the past, not of now.")
    left_out: int = Field(description="Number of markets of the training that were left out, to keep the answer short.")
    signals: list[SignalReply]


class EvaluationSummaryReply(BaseModel):
    """Figures of evaluations, and what training promised."""

    evaluations: list[dict[str, Any]] = Field(
        description="Figures of `quorate evaluate --json` on bars outside the training span, each beside its baselines "
        "and with its 95 % interval (_ci)."
    )
    training: dict[str, Any] | None = Field(
        description="Figures of `quorate bundle show --json`: measured at training on rows held out from it."
    )


class EntryReply(BaseModel):
    """A record of the journal, as `quorate paper journal --json` prints it."""

    seq: int
    written_at: str
    time: str
    kind: str
    key: str
    symbol: str | None
    order_id: str | None
    body: dict[str, Any]


class JournalReply(BaseModel):
    """Records of a paper account's journal, oldest first."""

    account: str
    records: list[EntryReply]


class StatusReply(BaseModel):
    """Status of a paper account, as `quorate paper status --json` prints it."""

    account: str
    session: dict[str, Any]
    bundle: str
    by_target: bool = Field(description="Positions follow the target weights of a book.")
    timeframe: str
    symbols: list[str]
    currency: str
    synthetic: bool
    written_at: str
    last_bar: str | None
    mode: str = Field(description="ACTIVE, or what the guards allow.")
    equity_usd: float
    cash_usd: float
    start_equity_usd: float
    positions: list[dict[str, Any]]
    pending: list[dict[str, Any]]
    guards: list[dict[str, Any]] | None = Field(description="Null for an account without guards.")
    ladder: dict[str, Any] | None
    drift: dict[str, Any] = Field(description="Drift of the bundle that decides, and the stakes that follow from it.")
    requests: list[dict[str, Any]] = Field(description="Requests of persons that apply from the next bar.")
    webhook: Any
    members: dict[str, str]
    feed: list[dict[str, Any]]
    moves: list[dict[str, Any]]
    decisions: dict[str, Any]
    stats: dict[str, Any]
    criteria: list[dict[str, Any]] = Field(description="Success criteria: name, target, measured, ok.")
    verdict: dict[str, Any] = Field(description="What happened so far, or why nothing was traded.")


class BundleReply(BaseModel):
    """A bundle of the folder, as `quorate bundle list --json` prints it; `error` says why it cannot be read."""

    id: str
    champion: bool
    published: str | None
    error: str | None
    recipe: str | None = None
    timeframe: str | None = None
    features: str | None = None
    symbols: list[str] | None = None
    synthetic: bool | None = None
    training_span: dict[str, str] | None = None
    members: dict[str, bool] | None = None


class BundlesReply(BaseModel):
    """Bundles of the folder, oldest first."""

    champion: str | None
    left_out: int = Field(description="Number of older bundles that were left out, to keep the answer short.")
    bundles: list[BundleReply]
