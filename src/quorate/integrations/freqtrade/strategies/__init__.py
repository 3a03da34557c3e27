"""Freqtrade strategy classes, the FreqAI model, and the exit plan of a trade."""

__all__: list[str] = []
