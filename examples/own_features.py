"""Two columns of your own: one is honest, the other reads the future and is refused.

    python examples/own_features.py

trains a small bundle with the honest column on synthetic candles, predicts with it, and shows the refusal of the other.
In a project of your own the columns are in a file without a main program, which quorate.toml names:

    [features]
    modules = ["my_features.py"]

    [train]
    features = "core14+close_in_range_24"
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import quorate
from quorate.core.settings import FeatureSettings
from quorate.market import SyntheticMarket


@quorate.feature(name="close_in_range_24", warmup=23)
def close_in_range_24(bars):
    """Position of the close in the range of 24 bars: 0 at the lowest low, 1 at the highest high, 0 without a range."""
    low, high = bars.lowest(24)[23:], bars.highest(24)[23:]
    return np.where(high > low, (bars.close[23:] - low) / np.where(high > low, high - low, 1), 0)


@quorate.feature(name="next_change", warmup=0)
def next_change(bars):
    """Change of the close over the next bar, which nobody knows when the bar closes; 0 at the newest bar."""
    return np.append(bars.close[1:] / bars.close[:-1] - 1, 0)


def main() -> None:
    """Train with the honest column, then try the other."""
    own = FeatureSettings(modules=(__file__,))
    market = SyntheticMarket(seed=7, symbols=2, bars=900, edge=0.3)
    candles = market.candles(market.names[0])

    def train(features: str):
        default = quorate.Settings()
        settings = replace(default, features=own, train=replace(default.train, features=features))
        return quorate.train(
            market.panel(),
            folder,
            models="xgboost,lightgbm",
            settings=settings,
            timeframe="1h",
            end=int(candles.time[700]),
        )

    with TemporaryDirectory() as folder:
        bundle = quorate.load_bundle(train("core14+close_in_range_24").path, features=own)
        for column in bundle.manifest.own_columns:
            print(f"trained on {column.name} of {column.module}, SHA-256 {column.digest[:16]}...")
        print(bundle.predict(candles).line())
        try:
            train("core14+next_change")
        except quorate.QuorateError as error:
            print(f"refused: {error}")
        print(f"{len(list(Path(folder).glob('*/manifest.json')))} bundle")


if __name__ == "__main__":
    main()
