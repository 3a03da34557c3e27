"""The page and the tables of the judgement of a book."""

__all__: list[str] = []
