"""Candles and funding of all markets as arrays by day, with what was known at each day's start."""
