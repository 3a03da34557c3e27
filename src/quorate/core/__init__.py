"""Types, errors, settings, time and version; imports no other part of the package."""

__all__: list[str] = []
