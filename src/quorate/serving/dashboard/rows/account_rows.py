"""The paper account as pages show it: from the document of its status, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate.core.errors import JournalError, QuorateError, UnknownAccountError
from quorate.serving.service import Service
from quorate.workflows.paper import PaperStatus

#: Guard -> its name for people.
GUARD_NAMES: Mapping[str, str] = {
    "losses": "Consecutive losses",
    "drawdown": "Daily drawdown",
    "models": "Valid members",
    "confidence": "Mean confidence",
    "volatility": "Sustained volatility",
    "clock": "Clock",
    "feed": "Candle feed",
    "valuation": "Mark prices",
    "reducing": "Drawdown: nothing added",
    "peak_drawdown": "Drawdown: all closed",
    "gross": "Gross exposure",
}


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """The account that the service shows.

    Attributes:
        name: of the account.
        document: its status; None while there is none.
        error: why the journal cannot be read; the document is the newest one that could.
        missing: there is no such account yet.
        positions: that are open, with their distances.
        guards: one a guard.
        session_error: why the session inside this process ended; empty if it did not.
    """

    name: str
    document: Mapping[str, Any] | None
    error: str
    missing: bool
    positions: tuple[PositionRow, ...]
    guards: tuple[GuardRow, ...]
    session_error: str

    @classmethod
    def of(cls, service: Service) -> ShownAccount:
        """As of the newest records that the service has read; nothing is read now."""
        return cls._of(service, service.account.status, service.account.error)

    @classmethod
    def read(cls, service: Service) -> ShownAccount:
        """As of now, with the requests that wait for the next bar; reads what is new in the journal."""
        try:
            return cls._of(service, service.account.view.status(), None)
        except JournalError as error:
            return cls._of(service, service.account.status, error)

    @classmethod
    def _of(cls, service: Service, status: PaperStatus | None, error: QuorateError | None) -> ShownAccount:
        session, missing = service.session, isinstance(error, UnknownAccountError)
        document = None if status is None or missing else status.document
        return cls(
            name=service.account.view.account.name,
            document=document,
            error="" if error is None or missing else str(error),
            missing=missing,
            positions=tuple(_position(each) for each in document["positions"]) if document else (),
            guards=tuple(_guard(each) for each in document["guards"] or ()) if document else (),
            session_error="" if session is None or session.error is None else str(session.error),
        )


@dataclass(frozen=True, slots=True)
class PositionRow:
    """An open position; distances are fractions of the mark price, above 0 while they are not reached.

    A position by target has no stop and no target, but a weight: its value as a fraction of equity, negative for a
    short. On cross margin no position is liquidated alone.
    """

    symbol: str
    side: str
    leverage: float
    margin_usd: float
    entry_price: float
    mark: float
    stop: float | None
    target: float | None
    liquidation_price: float
    to_stop: float | None
    to_target: float | None
    to_liquidation: float | None
    unrealised_usd: float
    entry_time: str
    due: str | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class GuardRow:
    """A guard.

    Attributes:
        guard: as requests name it.
        name: for people.
        human: a person has to re-arm it.
        state: what it counts.
    """

    guard: str
    name: str
    symbol: str | None
    mode: str
    human: bool
    state: str
    reason: str
    since: str | None
    until: str | None

    @property
    def can_rearm(self) -> bool:
        """Whether a person can re-arm it now."""
        return self.human and self.mode != "ACTIVE"


def _position(found: Mapping[str, Any]) -> PositionRow:
    mark, sign = found["mark"], 1 if found["side"] == "long" else -1
    names = ("symbol", "side", "leverage", "margin_usd", "entry_price", "mark", "weight", "stop", "target")
    more = ("liquidation_price", "unrealised_usd", "entry_time", "due")
    return PositionRow(
        **{name: found[name] for name in (*names, *more)},
        to_stop=None if found["stop"] is None else sign * (mark - found["stop"]) / mark,
        to_target=None if found["target"] is None else sign * (found["target"] - mark) / mark,
        to_liquidation=sign * (mark - found["liquidation_price"]) / mark if found["liquidation_price"] else None,
    )


def _guard(found: Mapping[str, Any]) -> GuardRow:
    return GuardRow(
        guard=found["guard"],
        name=GUARD_NAMES.get(found["guard"], found["guard"]),
        human=found["rearm"] == "human",
        **{name: found[name] for name in ("symbol", "mode", "state", "reason", "since", "until")},
    )
