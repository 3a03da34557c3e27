"""Documents of `/signals`: the ones of `quorate signal --json`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document

ActionName = Literal["SELL", "HOLD", "BUY"]


class VoteDocument(Document):
    """A member's vote; the three values are of SELL, HOLD and BUY. Of a stack: its predicted return instead."""

    model: str
    action: ActionName
    score: float | None
    probabilities: list[float] | None
    scores: list[float] | None
    predicted_return: float | None = None


class AbstentionDocument(Document):
    """A member that did not vote, and why."""

    model: str
    reason: str


_EXAMPLE: dict[str, Any] = {
    "symbol": "BTC/USDT:USDT",
    "time": "2026-05-01T12:00:00Z",
    "action": "BUY",
    "confidence": 0.67,
    "consensus": "strong",
    "rule": "calibrated",
    "policy": "calibrated",
    "mode": "full",
    "volatility": 0.0324,
    "probabilities": [0.11, 0.22, 0.67],
    "expected_return": 0.0021,
    "prediction_set": ["BUY"],
    "votes": [
        {
            "model": "xgboost",
            "action": "BUY",
            "score": 0.76,
            "scores": [0.1, 0.14, 0.76],
            "probabilities": [0.12, 0.21, 0.67],
        },
        {
            "model": "lightgbm",
            "action": "BUY",
            "score": 0.81,
            "scores": [0.09, 0.1, 0.81],
            "probabilities": [0.1, 0.21, 0.69],
        },
        {
            "model": "nhits",
            "action": "BUY",
            "score": 0.79,
            "scores": [0.1, 0.11, 0.79],
            "probabilities": [0.11, 0.24, 0.65],
        },
    ],
    "abstentions": [{"model": "patchtst", "reason": "exceeded 250 ms"}],
    "line": "strong | xgb:BUY 76%, lgbm:BUY 81%, nhits:BUY 79%, patchtst:ABSTAIN | vol:3.24%",
    "trained_symbol": True,
    "in_training_span": False,
    "synthetic": False,
}


class PanelReplyDocument(Document):
    """What a role of the panel replied."""

    role: str
    provider: str
    model: str
    direction: ActionName
    confidence: float
    technical_summary: str
    risk_assessment: str
    sentiment: str
    reasoning: str


class PanelAbstentionDocument(Document):
    """Why a role of the panel did not reply."""

    role: str
    reason: str


class PanelViewDocument(Document):
    """All that the panel replied."""

    replies: list[PanelReplyDocument]
    abstentions: list[PanelAbstentionDocument]
    contaminated: bool


class PanelDocument(Document):
    """What a panel of language models left of an entry."""

    strength: str
    agreement: float = Field(description="Of members and panel, 0 to 1.")
    combined: float
    multiplier: float = Field(description="Of half the ordinary stake.")
    share: float = Field(description="Of the ordinary stake that is left; 0 is a veto.")
    direction: ActionName | None = Field(description="Of the panel; null without a reply.")
    confidence: float
    contaminated: bool = Field(description="A reply is from a model that may know what came after the bar.")
    view: PanelViewDocument


class SignalDocument(Document):
    """The decision at a market's newest closed bar, and the votes behind it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    symbol: str = Field(examples=["BTC/USDT:USDT"])
    time: str | None = Field(description="Open time of the bar, UTC.", examples=["2026-05-01T12:00:00Z"])
    action: ActionName
    confidence: float
    consensus: str = Field(examples=["strong"])
    rule: str = Field(description="What decided.")
    policy: str
    mode: Literal["full", "partial", "none"] = Field(description="How many members are loaded and not benched.")
    volatility: float | None = Field(description="volatility_20, a fraction.")
    probabilities: list[float] | None = Field(description="Of SELL, HOLD and BUY, calibrated out of fold.")
    expected_return: float | None
    prediction_set: list[ActionName] | None
    predicted_return: float | None = None
    closed_because: str | None = None
    benched: list[VoteDocument] | None = Field(None, description="What benched members would have voted.")
    unselected: list[VoteDocument] | None = Field(
        None, description="What members that are not chosen to vote would have voted."
    )
    votes: list[VoteDocument]
    abstentions: list[AbstentionDocument]
    line: str = Field(description="All of it in one line.")
    trained_symbol: bool = Field(description="The bundle was trained on this market.")
    in_training_span: bool = Field(description="The bundle was trained on this bar.")
    synthetic: bool = Field(description="The candles are synthetic.")
    panel: PanelDocument | None = Field(
        None, description="Of the paper account's panel, where it was asked about this bar."
    )
