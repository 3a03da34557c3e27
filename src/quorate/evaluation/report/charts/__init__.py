"""Charts of the report: inline SVG, and the data of the linked figure."""

__all__: list[str] = []
