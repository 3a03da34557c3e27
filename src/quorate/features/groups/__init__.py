"""Columns of the feature sets, one file per group."""

__all__: list[str] = []
