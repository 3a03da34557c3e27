"""Rendering of what happens to files of candles."""
