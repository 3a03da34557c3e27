from __future__ import annotations

import subprocess
import sys

import pytest

from quorate.features import indicators

# Results of talib for series and frames of pandas, as text, from both of its interfaces.
_ASK_TALIB = """
import numpy as np, pandas as pd, talib, talib.abstract as abstract
close = pd.Series(np.linspace(1, 2, 60) + np.sin(np.arange(60)), index=range(100, 160))
frame = pd.DataFrame({"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": close})
answers = [talib.RSI(close), talib.MACD(close)[1], talib.RSI(close.to_numpy())]
answers += [abstract.RSI(frame), abstract.STOCH(frame), abstract.EMA(frame, timeperiod=5)]
answers += [abstract.RSI({"close": close.to_numpy()})]
for answer in answers:
    print(type(answer).__name__, getattr(answer, "index", [None])[0], np.nansum(np.asarray(answer)).round(6))
"""


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_features_load_neither_pandas_nor_polars():
    loaded = python(
        "import sys, quorate.features; print(sorted({'pandas', 'polars', 'scipy', 'torch'} & set(sys.modules)))"
    )
    assert loaded.strip() == "[]"


def test_talib_accepts_pandas_before_and_after_our_import():
    alone = python(_ASK_TALIB)
    assert "Series 100" in alone
    assert "DataFrame 100" in alone
    assert python("import quorate.features" + _ASK_TALIB) == alone
    assert python("import pandas, quorate.features" + _ASK_TALIB) == alone
    assert python(_ASK_TALIB + "import quorate.features") == alone


@pytest.mark.parametrize("first", ["talib", "pandas", "talib, pandas"])
def test_the_functions_are_talibs_own_whatever_was_loaded_before(first):
    code = f"""
import {first}
import numpy as np
from quorate.features import indicators
print(indicators.EMA(np.arange(6.0), 3), hasattr(indicators.EMA, "__wrapped__"))
"""
    assert python(code).strip() == "[nan nan  1.  2.  3.  4.] False"


def test_the_placeholders_are_removed():
    assert "stand" not in repr(sys.modules.get("pandas", "")).lower()
    assert indicators.MAX.__name__ == "MAX"
