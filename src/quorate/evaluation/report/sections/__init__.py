"""Sections of the report, a file each."""

__all__: list[str] = []
