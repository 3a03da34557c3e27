"""Sleeves: each turns the panel into the target weights of one effect."""
