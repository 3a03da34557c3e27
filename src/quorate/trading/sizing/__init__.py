"""Sizing overlays: a share of the ordinary stake for each entry, by what is known when it is decided."""

from quorate.trading.sizing.context import CONTEXT, AccountState, frame_contexts, full_context, signal_context
from quorate.trading.sizing.overlay import Overlay
from quorate.trading.sizing.policy import SHARES, SizingPolicy

__all__ = [
    "CONTEXT",
    "SHARES",
    "AccountState",
    "Overlay",
    "SizingPolicy",
    "frame_contexts",
    "full_context",
    "signal_context",
]
