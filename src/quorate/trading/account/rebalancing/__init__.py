"""Positions by target: opened, added to, reduced and closed at an open."""
