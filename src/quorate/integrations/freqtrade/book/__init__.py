"""A book in Freqtrade: its panel from Freqtrade's candles, and its targets as quantities of Freqtrade's positions."""

__all__: list[str] = []
