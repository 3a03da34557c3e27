"""The closed policy: the classic vote is counted and shown, and every bar is HOLD.

It is in force where the evidence of a bundle does not justify acting. The rule of every bar on which a model voted is
`closed`; consensus, base and confidence are those of the vote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action, Signal

#: Name of the policy, and its rule.
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class ClosedPolicy:
    """The closed policy.

    Attributes:
        vote: settings of the vote that is shown.
        because: why it is closed, one sentence.
    """

    vote: VoteSettings
    because: str = ""

    def close(self, signal: Signal) -> Signal:
        """The signal as a HOLD. Where no model voted, its rule still says so."""
        return replace(
            signal,
            action=Action.HOLD,
            rule=CLOSED if signal.votes else signal.rule,
            policy=CLOSED,
            closed_because=self.because,
        )
