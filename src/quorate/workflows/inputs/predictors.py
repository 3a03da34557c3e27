"""The bundle or series that a user names, loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from quorate.workflows.results.training import SeriesResult, TrainResult

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Predictor

#: A path of a bundle, of bundles (the champion) or of a series; what training returned; or one that is loaded.
BundleLike: TypeAlias = Union[str, Path, TrainResult, SeriesResult, "Predictor"]


def load_predictor(bundle: BundleLike, settings: Settings, policy: str | None = None) -> Predictor:
    """The bundle or series, read from a path or as it is.

    Args:
        bundle: a folder of a bundle, of bundles (its champion is read) or of a series; what training returned; or one
            that is loaded already.
        settings: `predict` holds the deadline of a bundle that is read, `features` the files of own columns.
        policy: "classic" or "calibrated", to decide by instead of the bundle's own.

    Raises:
        BundleError: missing, altered, or without that policy.
    """
    from quorate.ensemble.series import load

    if isinstance(bundle, TrainResult | SeriesResult):
        bundle = bundle.path
    if isinstance(bundle, str | Path):
        return load(bundle, settings.predict, policy, settings.features)
    return bundle if policy is None else bundle.with_policy(policy)
