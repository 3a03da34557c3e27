"""Decisions computed from Freqtrade's data frames."""

__all__: list[str] = []
