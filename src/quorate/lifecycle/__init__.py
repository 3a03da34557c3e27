"""Keeping a bundle good: what is watched, challenged, retrained and explained."""

__all__: list[str] = []
