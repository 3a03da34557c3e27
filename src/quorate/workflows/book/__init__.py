"""What a user does with a book: train it, see its target weights, trade it in the simulated account."""

__all__: list[str] = []
