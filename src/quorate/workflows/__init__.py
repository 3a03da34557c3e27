"""What a user does, one typed function each: shared by the command line, Freqtrade, benchmarks and notebooks.

Arguments and results are typed, progress goes to a callback, nothing is printed and no state is kept in a module.
Functions named as their file (`train`, `evaluate`, `backtest` ...) are imported from it, or from `quorate`.
"""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.workflows.bundles import list_bundles as list_bundles
    from quorate.workflows.bundles import promote_bundle as promote_bundle
    from quorate.workflows.bundles import rollback_bundle as rollback_bundle
    from quorate.workflows.bundles import show_bundle as show_bundle
    from quorate.workflows.bundles import verify_bundles as verify_bundles
    from quorate.workflows.check import check_own_columns as check_own_columns
    from quorate.workflows.check import list_candles as list_candles
    from quorate.workflows.paper import PaperAccount as PaperAccount
    from quorate.workflows.runs import RunRecord as RunRecord
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "bundles": "list_bundles promote_bundle rollback_bundle show_bundle verify_bundles",
            "check": "check_own_columns list_candles",
            "paper": "PaperAccount",
            "runs": "RunRecord",
        },
    )
