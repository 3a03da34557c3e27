"""What to do: the three classes, and whose rules decide."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Mode = Literal["full", "partial", "none"]
Policy = Literal["classic", "calibrated"]


class Action(IntEnum):
    """What to do, and at once the class order of every label, score and file."""

    SELL = 0
    HOLD = 1
    BUY = 2


CLASS_NAMES = tuple(action.name for action in Action)
