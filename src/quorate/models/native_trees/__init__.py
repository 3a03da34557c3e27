"""Contributions of single columns to boosted trees, from the native files of the members."""

__all__: list[str] = []
