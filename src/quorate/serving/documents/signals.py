"""Documents of `/signals`: the ones of `quorate signal --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quorate.serving.documents.document import Document

ActionName = Literal["SELL", "HOLD", "BUY"]
Three = tuple[float, float, float]


class VoteDocument(Document):
    """A member's vote; the three values are of SELL, HOLD and BUY. Of a stack: its predicted return instead."""

    model: str
    action: ActionName
    score: float | None = None
    probabilities: list[float] | None = None
    scores: list[float] | None = None
    predicted_return: float | None = None


class AbstentionDocument(Document):
    """A member that did not vote, and why."""

    model: str
    reason: str


class SignalDocument(Document):
    """The decision at a market's newest closed bar, and the votes behind it."""

    symbol: str = Field(examples=["BTC/USDT:USDT"])
    time: str | None = Field(description="Open time of the bar, UTC.", examples=["2026-05-01T12:00:00Z"])
    action: ActionName
    confidence: float
    consensus: str = Field(examples=["strong"])
    rule: str = Field(description="What decided.")
    policy: str
    mode: Literal["full", "partial", "none"] = Field(description="How many members are loaded.")
    volatility: float | None = Field(description="volatility_20, a fraction.")
    probabilities: list[float] | None = Field(description="Of SELL, HOLD and BUY, calibrated out of fold.")
    expected_return: float | None
    prediction_set: list[ActionName] | None
    predicted_return: float | None = None
    closed_because: str | None = None
    votes: list[VoteDocument]
    abstentions: list[AbstentionDocument]
    line: str = Field(description="All of it in one line.")
    trained_symbol: bool = Field(description="The bundle was trained on this market.")
    in_training_span: bool = Field(description="The bundle was trained on this bar.")
    synthetic: bool = Field(description="The candles are synthetic.")
