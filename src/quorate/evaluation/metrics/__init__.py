"""Figures of scores, decisions, trades and equity."""

__all__: list[str] = []
