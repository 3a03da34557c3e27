"""Sizing overlays: fitted on closed trades behind a gate, and kept only where they win out of fold."""

__all__: list[str] = []
