"""`quorate paper`: an account on live or replayed candles, its status and journal, and requests to it."""

from quorate.cli.paper.commands import app

__all__ = ["app"]
