"""Freqtrade's data frames to decisions."""

__all__: list[str] = []
