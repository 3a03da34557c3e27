"""The document of `/challenge`: a challenger against the champion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quorate.serving.documents.document import Document


class DifferenceDocument(Document):
    """A difference of both bundles, above 0 where the challenger is better; null before the first bar."""

    n: int = Field(description="Bars.")
    champion: float | None = Field(description="Mean of the champion: nats of log-loss, or return of a bar.")
    challenger: float | None
    difference: float | None
    bounds: tuple[float, float] | None = Field(
        description="Confidence sequence: each bound holds at all bars at once with probability 1 - alpha."
    )
    single_look_interval: tuple[float, float] | None = Field(
        description="Of the block bootstrap; for one look that was planned beforehand."
    )
    e_challenger: float = Field(description="Evidence that the challenger is better.")
    e_champion: float = Field(description="Evidence that the champion is better.")


class ChallengeDocument(Document):
    """A challenge as of its newest bar: the document of `quorate challenge status --json`."""

    challenge: str
    verdict: Literal["open", "challenger", "champion", "undecided", "stopped"]
    reason: str
    champion: str
    challenger: str
    decides: Literal["log_loss", "net_return"]
    alpha: float
    needed: float = Field(description="E-value of a verdict.")
    mode: Literal["live", "replay"]
    timeframe: str
    symbols: list[str]
    synthetic: bool
    bars: int
    horizon_bars: int
    start: str | None = Field(alias="from")
    to: str | None
    waiting: int = Field(description="Bars whose labels are not known yet.")
    log_loss: DifferenceDocument | None
    no_log_loss: str = Field(description="Why the log-losses cannot be compared; empty if they can.")
    net_return: DifferenceDocument
    clipped_returns: int = Field(description="Bars whose difference of net returns counted as the bound.")
    champion_equity_usd: float
    challenger_equity_usd: float
    start_equity_usd: float
    written_at: str
