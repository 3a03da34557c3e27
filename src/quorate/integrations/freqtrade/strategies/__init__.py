"""Classes that Freqtrade finds, and the plan of one trade."""

__all__: list[str] = []
