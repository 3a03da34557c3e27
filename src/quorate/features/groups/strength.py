"""Relative strength: the change of the symbol measured in BTC."""

from __future__ import annotations

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.bitcoin import of_btc


def _strength(bars_back: int) -> Column:
    btc = of_btc(f"change_{bars_back}")

    def compute(bars: Bars) -> FloatArray:
        return (1 + bars.change(bars_back)) / (1 + btc(bars)[bars_back:]) - 1

    return Column(f"btc_strength_{bars_back}", bars_back, compute, context=True)


COLUMNS = (_strength(4), _strength(24), _strength(96))
