"""Statistics on days of signals: what rows that no member was fitted on support, and how surely."""

__all__: list[str] = []
