"""Explanations of signals: what each group of features, and each column, contributes to a score."""

__all__: list[str] = []
