"""The page: its template, style and scripts, and the vendored library that draws the linked figure."""

__all__: list[str] = []
