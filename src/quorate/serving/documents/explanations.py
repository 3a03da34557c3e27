"""Document of `/signals/{symbol}/explanation`: the one of `quorate explain --json`."""

from __future__ import annotations

from pydantic import Field

from quorate.serving.documents.document import Document
from quorate.serving.documents.signals import SignalDocument


class AttributionDocument(Document):
    """A score, taken apart: a value for each of the outputs in every list."""

    score: list[float] = Field(description="Of the bar; base and contributions add up to it.")
    base: list[float] = Field(description="Mean over the background, or the score at the earlier bar.")
    contributions: dict[str, list[float]] = Field(description="Of each group of features.")


class ColumnDocument(Document):
    """A column, and what it contributes to the margins of boosted trees."""

    value: float = Field(description="Of the feature at the bar.")
    margins: list[float] = Field(description="To the log-odds of each class, or to the predicted return.")


class TreeColumnsDocument(Document):
    """Single columns of a member of boosted trees, by TreeSHAP."""

    base: list[float] = Field(description="Over the training rows, or at the earlier bar.")
    contributions: dict[str, ColumnDocument]


class ExplanationDocument(Document):
    """What each group of features contributed to the score of every member, as exact Shapley values."""

    bundle: str
    symbol: str = Field(examples=["BTC/USDT:USDT"])
    time: str = Field(description="Open time of the bar, UTC.")
    since: str | None = Field(description="Open time of the earlier bar, if the change since then is explained.")
    outputs: list[str] = Field(description="SELL, HOLD and BUY; of a stack predicted_return.")
    explained: str = Field(description="The output with the largest score of the ensemble.")
    groups: dict[str, list[str]] = Field(description="The columns of each group of features.")
    background: list[str] = Field(description="Open times of the bars that the bar is compared with.")
    ensemble: AttributionDocument | None = Field(
        description="The mean with the weights of the vote, or the predicted return; null where a member is missing "
        "from a stack."
    )
    members: dict[str, AttributionDocument] = Field(description="Of the members that voted.")
    columns: dict[str, TreeColumnsDocument] = Field(description="Of members of boosted trees.")
    signal: SignalDocument
    earlier: SignalDocument | None
