"""The guards in front of Freqtrade's entries."""

__all__: list[str] = []
