"""Model cards: a page about each bundle, from what is in the bundle."""

__all__: list[str] = []
