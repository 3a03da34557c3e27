"""Decisions at the newest closed bar of the markets of a source, one after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.progress import Progress
from quorate.core.types import Candles, Signal
from quorate.ensemble.inference import Predictor
from quorate.market.source import CandleSource
from quorate.workflows.inputs.applied_vote import vote_overrides
from quorate.workflows.results.signals import MarketSignal, MarketSignals

# The newest closed bar opened up to two bars ago; one bar is added for a late download.
_STALE_BARS = 3


def read_and_predict(
    bundle: Predictor,
    source: CandleSource,
    symbols: Sequence[str],
    *,
    allow_training_span: bool,
    progress: Progress,
    keep: bool = False,
) -> tuple[MarketSignals, list[Candles]]:
    """Read each market's candles and predict its newest closed bar.

    Only the candles of one market are in memory at a time, so that thousands need no more than one.

    Args:
        bundle: loaded.
        source: of the candles.
        symbols: markets, in order; those whose candles cannot be read are left out, with the reason.
        allow_training_span: also predict bars of the training span; these signals are marked.
        progress: told of each market.
        keep: return the candles of the predicted markets.

    Returns:
        The signals, and where `keep` is set the candles of each.

    Raises:
        BundleError, CandleError, TrainingSpanError: as `Bundle.predict`, for the first market.
    """
    timeframe = bundle.manifest.timeframe
    kept: list[Candles] = []
    made: list[Signal] = []
    synthetic: list[bool] = []
    failures: dict[str, DataError] = {}
    for number, symbol in enumerate(symbols, 1):
        try:
            candles = source.candles(symbol, timeframe)
        except DataError as error:
            failures[symbol] = error
        else:
            made.append(bundle.predict(candles, allow_training_span=allow_training_span))
            synthetic.append(candles.synthetic)
            kept += [candles] if keep else []
        progress("predicting", number, len(symbols))
    return mark(bundle, made, synthetic, now_ms(), left_out=failures), kept


def mark(
    bundle: Predictor,
    made: Sequence[Signal],
    synthetic: Sequence[bool],
    now: int,
    *,
    left_out: dict[str, DataError] | None = None,
) -> MarketSignals:
    """The signal of each market with its marks.

    Args:
        bundle: that made them.
        made: a signal a market.
        synthetic: whether each market's candles are.
        now: current time in ms UTC.
        left_out: market -> why it has no signal.
    """
    manifest = bundle.manifest
    trained = frozenset(manifest.symbols)
    times = np.array([signal.time for signal in made], np.int64)
    seen = bundle.in_training_span(times).tolist()
    stale = (now - times > _STALE_BARS * timeframe_ms(manifest.timeframe)).tolist()
    marked = [
        MarketSignal(
            signal,
            trained_symbol=signal.symbol in trained,
            in_training_span=seen[number],
            synthetic=made_up or manifest.synthetic,
            stale=stale[number],
        )
        for number, (signal, made_up) in enumerate(zip(made, synthetic, strict=True))
    ]
    benched = any(signal.mode == "partial" for signal in made)
    mode = "partial" if benched and bundle.mode == "full" else bundle.mode
    together = bundle.newest.manifest.metrics.get("agreement", {})
    return MarketSignals(
        tuple(marked), mode, bundle.status(), together.get("effective_votes"), vote_overrides(bundle), left_out or {}
    )
