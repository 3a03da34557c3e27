"""Actions, and the names of modes and policies."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, NoReturn

from quorate.core.errors import ArgumentError

Mode = Literal["full", "partial", "none"]
Policy = Literal["classic", "calibrated", "consensus", "closed"]

# What decided a bar, or the bars of a frame: a policy, a stack, or different ones in a mixed frame.
DecidedBy = Policy | Literal["stack", "mixed"]


class Action(IntEnum):
    """SELL, HOLD or BUY; the values are the class order of all labels, scores and files."""

    SELL = 0
    HOLD = 1
    BUY = 2

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        known = ", ".join(f"{action.value} ({action.name})" for action in cls)
        raise ArgumentError("make an action", found=f"`value` {value!r}", expected=f"one of {known}")


CLASS_NAMES = tuple(action.name for action in Action)
