"""Fitting the members of the learned sleeves."""
