"""Training: from candles to a published bundle."""

__all__: list[str] = []
