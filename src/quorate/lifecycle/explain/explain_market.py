"""Explain the decision at a bar of a market of some data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.core.arguments import TEXT, WHOLE, require_types
from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import ArgumentError
from quorate.workflows.inputs.arguments import require_flags, settings_of
from quorate.workflows.inputs.market_data import Data, open_source
from quorate.workflows.inputs.predictors import BundleLike, load_live, require_timeframe

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Policy
    from quorate.lifecycle.explain.explanation import Explanation


def explain(
    bundle: BundleLike,
    data: Data,
    symbol: str,
    *,
    at: int | None = None,
    since: int | None = None,
    timeframe: str | None = None,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    settings: Settings | None = None,
) -> Explanation:
    """The decision at a bar, and what each group of features contributed to the score of every member.

    Contributions are exact Shapley values: with the mean score over earlier bars of the market they add up to the
    score.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbol: the market.
        at: time in ms, to explain the newest bar that had opened by then; None for the newest closed bar.
        since: time in ms, to explain instead what changed the scores since the newest bar that had opened by then.
        timeframe: None for the bundle's; any other is refused.
        policy: "classic", "calibrated", "consensus" or "closed", instead of the bundle's own.
        allow_training_span: also explain bars of the training span; the signal is marked.
        settings: `explain.background`, and those of the bundle; None for those of quorate.toml and the environment.

    Raises:
        ArgumentError: arguments of the wrong type, times without a bar, or another timeframe than the bundle's.
        BundleError: no bundle there, one that was altered or has fewer than two members, or no member that voted.
        ModelError: a member that fails.
        TooLittleHistoryError: too few bars before the one that is explained.
        TrainingSpanError: a bar of the training span that is not allowed.
        DataError: candles that cannot be read.
    """
    from quorate.lifecycle.explain.explain_signal import explain_signal

    require_types("explain a signal", symbol=(symbol, TEXT), at=(at, WHOLE.optional), since=(since, WHOLE.optional))
    require_flags(allow_training_span=allow_training_span)
    settings = settings_of(settings)
    loaded = load_live(bundle, settings, policy)
    require_timeframe(loaded, timeframe)
    timeframe = loaded.manifest.timeframe
    candles = open_source(data, (symbol,), timeframe).candles(symbol, timeframe)
    now = None
    if at is not None:
        before = candles.between(None, at + 1)
        if not len(before):
            raise ArgumentError(
                f"explain {symbol}",
                found=f"no bar that had opened by {format_ms(at)} (`at`)",
                expected=f"a time from {format_ms(int(candles.time[0]))} on" if len(candles) else "candles",
            )
        candles, now = before, int(before.time[-1]) + timeframe_ms(timeframe)
    return explain_signal(
        loaded,
        candles,
        background=settings.explain.background,
        since=since,
        now=now,
        allow_training_span=allow_training_span,
    )
