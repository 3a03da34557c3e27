"""The columns of the feature sets, one file a group."""

__all__: list[str] = []
