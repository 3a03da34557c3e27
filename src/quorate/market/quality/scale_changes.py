"""Bars at which prices continue at another scale, see `quorate.core.scale_changes`."""

from quorate.core.scale_changes import ScaleChange, scale_change_bars, scale_changes

__all__ = ["ScaleChange", "scale_change_bars", "scale_changes"]
