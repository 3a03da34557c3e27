"""Candles to a matrix of features."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.features.bars import Bars as Bars
    from quorate.features.build_matrix import atr_14 as atr_14
    from quorate.features.build_matrix import build as build
    from quorate.features.build_matrix import live as live
    from quorate.features.build_matrix import volatility_20 as volatility_20
    from quorate.features.catalogue import FeatureSet as FeatureSet
    from quorate.features.catalogue import feature_names as feature_names
    from quorate.features.catalogue import feature_set as feature_set
    from quorate.features.catalogue import feature_sets as feature_sets
    from quorate.features.context import Context as Context
    from quorate.features.context import CrossSection as CrossSection
    from quorate.features.context import MarketColumns as MarketColumns
    from quorate.features.inputs import Inputs as Inputs
    from quorate.features.panel_context import contexts as contexts
    from quorate.features.panel_context import cross_section as cross_section
    from quorate.features.panel_context import market_columns as market_columns
    from quorate.features.windows import Sequences as Sequences
    from quorate.features.windows import Windows as Windows
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "bars": "Bars",
            "build_matrix": "atr_14 build live volatility_20",
            "catalogue": "FeatureSet feature_names feature_set feature_sets",
            "context": "Context CrossSection MarketColumns",
            "inputs": "Inputs",
            "panel_context": "contexts cross_section market_columns",
            "windows": "Sequences Windows",
        },
    )
