"""Scores to probabilities: temperature and isotonic maps, their selection, and prediction sets."""

__all__: list[str] = []
