"""Walk-forward: labelled bars, folds, training and scoring, results, and their evaluation."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.walk_forward.fold_rows import FoldRows as FoldRows
    from quorate.evaluation.walk_forward.fold_rows import split_folds as split_folds
    from quorate.evaluation.walk_forward.labelled_bars import LabelledBars as LabelledBars
    from quorate.evaluation.walk_forward.labelled_bars import build_rows as build_rows
    from quorate.evaluation.walk_forward.permutation_importance import PermutationImportance as PermutationImportance
    from quorate.evaluation.walk_forward.walk import WalkOptions as WalkOptions
    from quorate.evaluation.walk_forward.walk import require_members as require_members
    from quorate.evaluation.walk_forward.walk_result import WalkResult as WalkResult
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "fold_rows": "FoldRows split_folds",
            "labelled_bars": "LabelledBars build_rows",
            "permutation_importance": "PermutationImportance",
            "walk": "WalkOptions require_members",
            "walk_result": "WalkResult",
        },
    )
