"""Member weights: fitted on scores out of fold, kept only where nested walk-forward says that they help."""

__all__: list[str] = []
