"""Pretrained forecasters of prices as members: a frozen network and a small head fitted on its forecasts."""

__all__: list[str] = []
