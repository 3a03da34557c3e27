"""Search for better settings, judged once on later bars."""

__all__: list[str] = []
