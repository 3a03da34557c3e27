"""Commands that keep a bundle good, one file each."""

__all__: list[str] = []
