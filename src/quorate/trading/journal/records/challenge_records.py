"""Records of a challenge: its start, what both accounts did on a bar, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from quorate.trading.journal.records.record import Record


@dataclass(frozen=True, slots=True)
class ChallengedRecord(Record):
    """The start of a challenge, whose terms are fixed by it.

    Attributes:
        at: wall clock in ms.
        champion, challenger: ids of the bundles.
        mode: live or replay.
        timeframe: of the bars.
        symbols: the markets.
        start_usd: equity of both accounts.
        horizon: bars that a label looks ahead.
        terms: of the test: `ChallengeSettings` as JSON.
        no_loss: why the log-losses cannot be compared; empty if they can.
        synthetic: whether candles or bundles are.
    """

    kind: ClassVar[str] = "challenged"

    at: int
    champion: str
    challenger: str
    mode: Literal["live", "replay"]
    timeframe: str
    symbols: tuple[str, ...]
    start_usd: float
    horizon: int
    terms: Mapping[str, Any] = field(default_factory=dict)
    no_loss: str = ""
    synthetic: bool = False

    @property
    def key(self) -> str:
        return "challenged"


@dataclass(frozen=True, slots=True)
class MaturedBar:
    """The outcome of the forecasts on an earlier bar.

    Attributes:
        time: its open time in ms.
        markets: whose label is known.
        champion_loss, challenger_loss: log-loss in nats, mean over the markets that were forecast; a market without a
            label adds 0 to both.
    """

    time: int
    markets: int
    champion_loss: float
    challenger_loss: float


@dataclass(frozen=True, slots=True)
class ComparedRecord(Record):
    """What champion and challenger did on a bar, and which forecasts matured at its close.

    Attributes:
        champion_usd, challenger_usd: equity at the close.
        markets: that were forecast on this bar.
        bound: of the absolute difference of the log-losses of this bar, known before its outcome.
        matured: earlier bars, oldest first.
    """

    kind: ClassVar[str] = "compared"

    champion_usd: float
    challenger_usd: float
    markets: int = 0
    bound: float = 0.0
    matured: tuple[MaturedBar, ...] = ()

    @property
    def key(self) -> str:
        return f"compared:{self.time}"


@dataclass(frozen=True, slots=True)
class JudgedRecord(Record):
    """The end of a challenge.

    Attributes:
        at: wall clock in ms.
        verdict: which bundle won; undecided at the horizon; or stopped by a person.
        reason: description.
    """

    kind: ClassVar[str] = "judged"

    at: int
    verdict: Literal["challenger", "champion", "undecided", "stopped"]
    reason: str

    @property
    def key(self) -> str:
        return "judged"
