"""Settings of small trees that learn a planted edge from a few days of candles."""

from quorate.core.settings import LightGBMSettings, ModelSettings, XGBoostSettings


def small_trees(trees=20):
    return ModelSettings(
        xgboost=XGBoostSettings(trees=trees, l2_share=0.0, leaf_share=0.04, colsample_node=1.0),
        lightgbm=LightGBMSettings(trees=trees, l2_share=0.0, leaf_share=0.04, random_splits=False),
    )
