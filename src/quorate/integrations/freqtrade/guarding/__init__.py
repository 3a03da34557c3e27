"""Guards that check Freqtrade's entries."""

__all__: list[str] = []
