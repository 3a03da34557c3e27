"""Expected cost of the fits of a walk-forward: rows times passes times a rate of each model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from quorate.core.errors import QuorateError
from quorate.core.progress import Part
from quorate.core.settings import NetworkSettings, PolicySettings
from quorate.evaluation.walk_forward.fold_fit import FitKey, FoldFits

# Seconds per row and pass of each model with its default settings, on one core of an EPYC 9004; they hold until a fit
# of the model has ended in this run.
_RATES = {
    "xgboost": 4e-5,
    "lightgbm": 4e-5,
    "logistic": 1e-4,
    "log_har": 3e-5,
    "nhits": 1e-4,
    "patchtst": 1e-4,
    "lstm": 1e-4,
}
_OTHER = 5e-5


def fit_parts(fits: FoldFits, warm: Mapping[FitKey, FitKey]) -> dict[Hashable, Part]:
    """The parts of a run that are fits.

    Args:
        fits: of all models in all folds.
        warm: fits that begin at the weights of an earlier one.
    """
    parts: dict[Hashable, Part] = {}
    for name in fits.names:
        again = refits(fits, name)
        for place, each in enumerate(fits.parts):
            key = FitKey(place, name)
            fitted = len(each.train) * _passes(fits, name, key in warm) + again * len(each.before_choice)
            parts[key] = Part(name, max(fitted, 1.0), _RATES.get(name, _OTHER))
    return parts


def refits(fits: FoldFits, name: str) -> float:
    """Rows that a model is fitted on out of fold, as a multiple of the rows before the choice of a policy."""
    policy: PolicySettings = fits.settings.policy
    if name not in fits.members or policy.refit == "none":
        return 0.0
    try:
        model = fits.build(name)
    except QuorateError:
        return 0.0
    # Of n stretches, all but the first are scored by a fit on those before: (1 + 2 + ... + n - 1) / n.
    return 0.0 if policy.refit == "fast" and model.slow_fit else (policy.folds - 1) / 2


def _passes(fits: FoldFits, name: str, warm: bool) -> float:
    own = getattr(fits.settings.models, name, None)
    if not isinstance(own, NetworkSettings):
        return 1.0
    return own.warm_epochs * own.warm_share if warm else own.epochs * own.share
