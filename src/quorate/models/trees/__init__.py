"""Members of decision trees."""

__all__: list[str] = []
