"""What users name for a workflow: the data, the markets and the span, the bundle."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.workflows.inputs.market_data import Data as Data
    from quorate.workflows.inputs.market_data import open_source as open_source
    from quorate.workflows.inputs.predictors import BundleLike as BundleLike
    from quorate.workflows.inputs.predictors import load_live as load_live
    from quorate.workflows.inputs.predictors import load_predictor as load_predictor
    from quorate.workflows.inputs.selection import Moment as Moment
    from quorate.workflows.inputs.selection import Selection as Selection
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "market_data": "Data open_source",
            "predictors": "BundleLike load_live load_predictor",
            "selection": "Moment Selection",
        },
    )
