"""Results as tables and lines for a terminal: one file a noun."""

__all__: list[str] = []
