"""The HTML report: tables, plots and the page."""

__all__: list[str] = []
