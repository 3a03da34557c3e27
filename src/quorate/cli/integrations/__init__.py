"""Verbs of the programs that decisions are used in, one file each."""

__all__: list[str] = []
