"""Training along time: folds, the walk, its result and its evaluation."""

__all__: list[str] = []
