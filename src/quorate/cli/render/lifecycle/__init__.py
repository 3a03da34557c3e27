"""What keeps a bundle good, for a terminal."""

__all__: list[str] = []
