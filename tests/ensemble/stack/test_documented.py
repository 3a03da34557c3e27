"""The rows of the documented experiment on real candles: predicting zero has the published RMSE."""

import os
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import format_ms, parse_ms, timeframe_ms
from quorate.core.settings import Settings
from quorate.ensemble.recipes import RECIPES
from quorate.market import FreqtradeFolder
from quorate.targets import build_dataset, time_split

DATA = os.environ.get("QUORATE_DATA")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(DATA is None, reason="QUORATE_DATA does not name the folder of real candles"),
]


def test_predicting_zero_has_the_rmse_of_the_documented_rows():
    settings, recipe = Settings(), RECIPES["stack"]
    start, end = parse_ms("2023-10-15"), parse_ms("2025-10-15")
    candles = FreqtradeFolder(Path(DATA) / "binance").candles("BTC/USDT", "4h", None, end)
    inside = candles.between(start, end)
    assert len(inside) == 4_386
    panel = {"BTC/USDT": candles}
    first = recipe.first_bar(panel, start, settings)
    assert first == inside.time[199]
    rows = build_dataset(panel, recipe.features(settings), recipe.make_target(settings.target), first, end)
    assert rows.time[0] == inside.time[199]
    assert rows.time[-1] == inside.time[-5]
    split = time_split(rows.time, rows.span_end, settings.split.train, settings.split.validation)
    # 2,928 / 627 / 628 in order; of the first two, 4 rows are purged because their labels reach into the next part.
    assert [len(part) for part in (split.train, split.validation, split.test)] == [2_924, 623, 628]
    assert (split.train[0], split.validation[0], split.test[0]) == (0, 2_928, 2_928 + 627)
    assert format_ms(int(rows.time[split.test[0]])) == "2025-07-01 16:00"
    assert rows.span_end[split.validation].max() < rows.time[split.test[0]]
    assert 100 * np.sqrt((rows.y[split.test] ** 2).mean()) == pytest.approx(1.420, abs=5e-4)
    # The same without the candles before the window: the features are warm within its first 199.
    alone = build_dataset(
        {"BTC/USDT": inside}, recipe.features(settings), recipe.make_target(settings.target), first, end
    )
    np.testing.assert_array_equal(alone.time, rows.time)
    assert rows.time[1] - rows.time[0] == timeframe_ms("4h")
