"""Columns that read market statistics, one file a group."""

__all__: list[str] = []
