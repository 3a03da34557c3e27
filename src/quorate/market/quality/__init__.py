"""Checks of candles: what is rejected, what is repaired, what is reported."""

from quorate.market.quality.quality_report import QualityReport

__all__ = ["QualityReport"]
