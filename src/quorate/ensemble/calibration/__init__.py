"""Calibration of scores: temperature and isotonic maps to probabilities, their selection, and prediction sets."""

__all__: list[str] = []
