"""Trading rules of a market, under the import path of earlier versions; see `quorate.trading.account.contract`."""

from quorate.trading.account.contract import Contract

__all__ = ["Contract"]
