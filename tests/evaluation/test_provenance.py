from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quorate.core.types import Funding
from quorate.evaluation.provenance import code_version, data_hash


def test_one_bit_is_another_hash_and_the_order_of_symbols_is_none(run: Any) -> None:
    whole = data_hash(run.candles)
    assert whole == data_hash(dict(reversed(run.candles.items())))
    symbol, candles = next(iter(run.candles.items()))
    close = candles.close.copy()
    close[17] = np.nextafter(close[17], 0)
    funding = Funding(symbol, candles.time[::8], np.zeros(len(candles.time[::8])))
    others = {
        data_hash({**run.candles, symbol: replace(candles, close=close)}),
        data_hash({**run.candles, symbol: candles[1:]}),
        data_hash({symbol: candles}),
        data_hash(run.candles, {symbol: funding}),
        data_hash(run.candles, {}, {symbol: candles}),
    }
    assert len({whole, *others}) == 6


def test_the_code_says_its_release_and_its_sources() -> None:
    release, _, sources = code_version().partition("+")
    assert release
    assert len(sources) == 12
    assert code_version() == code_version()
