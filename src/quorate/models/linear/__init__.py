"""Members of standardised columns and their products."""

__all__: list[str] = []
