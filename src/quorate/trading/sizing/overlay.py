"""An overlay: sizing policies by the time from which each may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from quorate.core.errors import TradingError
from quorate.core.types import Action, FloatArray, Signal
from quorate.trading.sizing.context import AccountState, full_context, signal_context


class Sizing(Protocol):
    """A share of the ordinary stake, 0 to 1, for an (8,) context; its digest tells it from others."""

    @property
    def digest(self) -> str: ...

    def share(self, context: FloatArray) -> float: ...


@dataclass(frozen=True, slots=True)
class Overlay:
    """Policies, each for decisions from a time on; a decision before all of them has the whole ordinary stake.

    Attributes:
        entries: times in ms, increasing, each with its policy. A policy may have read only what was known then.

    Raises:
        TradingError: no entry, or times out of order.
    """

    entries: tuple[tuple[int, Sizing], ...]

    def __post_init__(self) -> None:
        times = [time for time, _ in self.entries]
        if not times or times != sorted(set(times)):
            raise TradingError("make a sizing overlay", found=f"policies from {times}", expected="increasing times")

    def share(self, close: int, decision: FloatArray | None, state: AccountState) -> float:
        """Share of the ordinary stake of an entry that is decided at a bar's close.

        Args:
            close: of the bar, ms.
            decision: (6,) context of the decision; None where unknown.
            state: of the account after the close.
        """
        policy = next((policy for start, policy in reversed(self.entries) if start <= close), None)
        return 1.0 if policy is None or decision is None else policy.share(full_context(decision, state))

    def shares(self, close: int, signals: Sequence[Signal], state: AccountState) -> Mapping[str, float]:
        """Symbol -> share of the ordinary stake, of the BUY and SELL signals of a bar; arguments as of `share`."""
        acted = [signal for signal in signals if signal.action != Action.HOLD]
        return {signal.symbol: self.share(close, signal_context(signal), state) for signal in acted}

    @property
    def digest(self) -> str:
        """Digest of times and policies: 16 hexadecimal digits."""
        text = "\n".join(f"{time} {policy.digest}" for time, policy in self.entries)
        return sha256(text.encode()).hexdigest()[:16]
