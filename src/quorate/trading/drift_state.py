"""Whether the bundle that decides drifts, and the share of the ordinary stake that its new positions have then."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class DriftState(NamedTuple):
    """What the newest check for drift says of a bundle.

    Attributes:
        alarm: whether an alarm stands.
        stake_factor: what the ordinary stake of new positions is multiplied by; above 0, at most 1.
        reason: for the journal.
    """

    alarm: bool
    stake_factor: float = 1.0
    reason: str = ""


#: Without an alarm, at the ordinary stake.
NO_DRIFT = DriftState(alarm=False)

#: Close of a bar in ms -> the state from then on; None where it stays as it is.
DriftStateAt = Callable[[int], DriftState | None]
