"""What the roles of the panel reply on one bar of one market, and where such replies come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol

from quorate.core.errors import PanelError
from quorate.core.types import Action, Candles, Signal

#: Role -> its weight in the panel's consensus.
ROLES: Final[Mapping[str, float]] = MappingProxyType({"technical": 0.40, "risk": 0.35, "sentiment": 0.25})


@dataclass(frozen=True, slots=True)
class RoleReply:
    """A valid reply of one role.

    Attributes:
        role: one of `ROLES`.
        provider: name of the provider in the settings.
        model: name of the model, as the provider calls it.
        direction: of the market, in the role's view.
        confidence: in the direction, 0 to 1.
        technical_summary, risk_assessment, sentiment, reasoning: texts of the model. They are shown to people and
            decide nothing.

    Raises:
        PanelError: an unknown role, a direction that is no `Action`, or a confidence outside 0 to 1.
    """

    role: str
    provider: str
    model: str
    direction: Action
    confidence: float
    technical_summary: str = ""
    risk_assessment: str = ""
    sentiment: str = ""
    reasoning: str = ""

    def __post_init__(self) -> None:
        _require_role(self.role)
        if not isinstance(self.direction, Action):
            _refuse(f"the direction {self.direction!r} of {self.role}", "SELL, HOLD or BUY")
        known = isinstance(self.confidence, float | int) and not isinstance(self.confidence, bool)
        if not (known and math.isfinite(self.confidence) and 0 <= self.confidence <= 1):
            _refuse(f"the confidence {self.confidence!r} of {self.role}", "a number from 0 to 1")

    def to_json(self) -> dict[str, Any]:
        """The form of journals and documents; the texts are part of it."""
        return {
            "role": self.role,
            "provider": self.provider,
            "model": self.model,
            "direction": self.direction.name,
            "confidence": self.confidence,
            "technical_summary": self.technical_summary,
            "risk_assessment": self.risk_assessment,
            "sentiment": self.sentiment,
            "reasoning": self.reasoning,
        }


@dataclass(frozen=True, slots=True)
class RoleAbstention:
    """A role without a valid reply, with the reason. It is never counted as HOLD.

    Raises:
        PanelError: an unknown role.
    """

    role: str
    reason: str

    def __post_init__(self) -> None:
        _require_role(self.role)

    def to_json(self) -> dict[str, Any]:
        return {"role": self.role, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class PanelView:
    """What the panel says about one market at one close.

    Attributes:
        replies: valid ones, at most one a role.
        abstentions: roles that were asked and gave none. A role without a provider is in neither.
        contaminated: a reply is from a model whose knowledge ends after the bar, so it may know what came next.

    Raises:
        PanelError: a role twice.
    """

    replies: tuple[RoleReply, ...] = ()
    abstentions: tuple[RoleAbstention, ...] = ()
    contaminated: bool = False

    def __post_init__(self) -> None:
        roles = [reply.role for reply in self.replies] + [each.role for each in self.abstentions]
        twice = sorted({role for role in roles if roles.count(role) > 1})
        if twice:
            _refuse(f"the role {twice[0]} twice", "each role once")

    def to_json(self) -> dict[str, Any]:
        """The form of journals and documents."""
        return {
            "replies": [reply.to_json() for reply in self.replies],
            "abstentions": [abstention.to_json() for abstention in self.abstentions],
            "contaminated": self.contaminated,
        }


class PanelSource(Protocol):
    """Where a panel's replies come from: providers that are asked now, or recordings."""

    @property
    def digest(self) -> str:
        """Tells one panel from another in the records of a run: 16 hexadecimal digits."""
        ...

    def views(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelView]:
        """The panel's view on the entries of a close; failures are abstentions.

        HOLD signals are not asked about: there is nothing to confirm.

        Args:
            close: time in ms of the close at which the signals were decided.
            signals: decisions of that close, HOLD ones among them.
            bars: symbol -> candles of each signal's market up to that close, and none after it.

        Returns:
            Symbol -> view, of each BUY and SELL signal.
        """
        ...


def _require_role(role: str) -> None:
    if role not in ROLES:
        _refuse(f"the role {role!r}", ", ".join(ROLES))


def _refuse(found: str, expected: str) -> NoReturn:
    raise PanelError("read the panel's replies", found=found, expected=expected)
