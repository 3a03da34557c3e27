"""Rendering of what happens to files of candles."""

__all__: list[str] = []
