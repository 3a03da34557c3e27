"""Intervals, tests, and corrections for the number of trials."""

__all__: list[str] = []
