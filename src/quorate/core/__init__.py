"""Types, errors, settings, time and version. Imports nothing else of the package."""

__all__: list[str] = []
