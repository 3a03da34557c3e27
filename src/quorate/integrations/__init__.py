"""Integrations with other programs, one folder each."""

__all__: list[str] = []
