"""The bundle or series that a user names, loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from quorate.core.errors import ArgumentError
from quorate.market.files.spellings import normal_timeframe
from quorate.workflows.inputs.applied_vote import with_vote
from quorate.workflows.inputs.arguments import require_policy, require_timeframe_text
from quorate.workflows.results.training import TrainResult
from quorate.workflows.results.training_series import SeriesResult

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Predictor

#: A path of a bundle, of bundles (the champion) or of a series; what training returned; or one that is loaded.
BundleLike: TypeAlias = Union[str, Path, TrainResult, SeriesResult, "Predictor"]


def require_timeframe(bundle: Predictor, timeframe: str | None) -> None:
    """Refuse another timeframe than the bundle's; None is the bundle's.

    Raises:
        ArgumentError: another one.
    """
    require_timeframe_text(timeframe)
    trained = bundle.manifest.timeframe
    if timeframe is not None and normal_timeframe(timeframe) != trained:
        raise ArgumentError(
            "use the bundle", found=f"`timeframe` {timeframe}", expected=f"{trained}, the timeframe of the bundle"
        )


def require_bundle(bundle: object) -> None:
    """Refuse what `load_predictor` does not take.

    Raises:
        ArgumentError: another type.
    """
    loaded = hasattr(bundle, "manifest") and hasattr(bundle, "predict")
    if not loaded and not isinstance(bundle, str | Path | TrainResult | SeriesResult):
        raise ArgumentError(
            "use `bundle`",
            found=f"an object of type {type(bundle).__name__}",
            expected="the path of a bundle, of a series or of a folder of bundles, or the result of quorate.train",
        )


def load_predictor(bundle: BundleLike, settings: Settings, policy: str | None = None) -> Predictor:
    """The bundle or series, read from a path or as it is.

    Of one that is read, the settings of the vote can be replaced: see `with_vote`.

    Args:
        bundle: a folder of a bundle, of bundles (its champion is read) or of a series; what training returned; or one
            that is loaded already.
        settings: `vote` may replace that of the training; `predict` holds the deadline of a bundle that is read,
            `features` the files of own columns.
        policy: name of a policy, to decide by instead of the bundle's own.

    Raises:
        ArgumentError: neither of these, or a policy that there is not.
        BundleError: missing, altered, or without that policy.
        SettingsError: the settings file has another vote than the bundle was trained with.
    """
    from quorate.ensemble.series import load

    require_policy(policy)
    if isinstance(bundle, TrainResult | SeriesResult):
        bundle = bundle.path
    if isinstance(bundle, str | Path):
        return with_vote(load(bundle, settings.predict, policy, settings.features, settings.bundle), settings.vote)
    require_bundle(bundle)
    return bundle if policy is None else bundle.with_policy(policy)


def load_live(bundle: BundleLike, settings: Settings, policy: str | None = None) -> Predictor:
    """The bundle or series that decides on the newest bars: as of `load_predictor`, and benched members abstain.

    Who is benched is read from the file beside the bundle at every prediction, where `bench.apply` is set; likewise who
    votes, where `select.size` is. A predictor that is loaded already keeps the bench that it has.
    """
    from quorate.ensemble.inference.bench import no_bench
    from quorate.ensemble.series.bench_file import StoredBench
    from quorate.ensemble.series.selection_file import with_selection

    loaded = load_predictor(bundle, settings, policy)
    path = bundle.path if isinstance(bundle, TrainResult | SeriesResult) else bundle
    size = settings.select.size
    if not (settings.bench.apply or size) or not isinstance(path, str | Path):
        return loaded
    bench_of = StoredBench(Path(path)) if settings.bench.apply else no_bench
    return loaded.with_bench(with_selection(bench_of, Path(path), size) if size else bench_of)
