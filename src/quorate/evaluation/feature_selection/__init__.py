"""Which columns earn their place: importance of groups of columns out of fold, the choice, and its stability."""

from quorate.evaluation.feature_selection.choose_columns import choose_columns
from quorate.evaluation.feature_selection.fold_choices import fold_choices

__all__ = ["choose_columns", "fold_choices"]
