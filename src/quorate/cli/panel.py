"""Candles and decisions of many symbols, as several verbs need them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import DataError, TrainingSpanError
from quorate.core.types import Candles, DecisionFrame, Funding

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.ensemble.inference import Predictor
    from quorate.market.source import CandleSource


def read_panel(
    source: CandleSource,
    timeframe: str,
    symbols: Sequence[str],
    tell: Tell,
    *,
    start: int | None = None,
    end: int | None = None,
) -> dict[str, Candles]:
    """Every symbol's candles of the span, and those before it that warm the features.

    Symbols without a bar in the span are left out.

    Raises:
        DataError: no symbol has a bar there.
    """
    panel = {}
    for number, symbol in enumerate(symbols, 1):
        candles = source.candles(symbol, timeframe, warm_start(start, timeframe), end)
        if len(candles.between(start)):
            panel[symbol] = candles
        tell("reading candles", number, len(symbols))
    if not panel:
        raise DataError(
            f"read {timeframe} candles of {len(symbols)} symbols",
            found="no bar in the span",
            expected=f"bars from {_when(start)} to {_when(end)}",
        )
    return panel


def read_funding(source: CandleSource, symbols: Sequence[str]) -> dict[str, Funding]:
    """The settlements of those symbols for which there are any."""
    found = {symbol: source.funding(symbol) for symbol in symbols}
    return {symbol: funding for symbol, funding in found.items() if funding is not None}


def warm_start(start: int | None, timeframe: str) -> int | None:
    """How early candles must begin so that features at `start` are warm."""
    from quorate.ensemble.inference.predictor import LIVE_BARS

    return None if start is None else start - LIVE_BARS * timeframe_ms(timeframe)


def same_kind(source: CandleSource, bundle: Predictor) -> tuple[str, ...]:
    """Every market of the folder that is of the kind the bundle was trained on: perpetuals, or spot."""
    perpetual = any(":" in symbol for symbol in bundle.manifest.symbols)
    return source.symbols(bundle.manifest.timeframe, perpetual=perpetual)


def require_unseen(bundle: Predictor, start: int | None, end: int | None, *, allow: bool) -> bool:
    """Whether the span meets the bundle's training span; refused unless allowed.

    A series never meets its own: it has no bundle for bars before its first, allowed or not.

    Raises:
        TrainingSpanError: it does, and that is not allowed; or a series is asked about bars before its first.
    """
    if bundle.first_bar is not None:
        if start is None or start < bundle.first_bar:
            raise TrainingSpanError(
                f"use bars from {_when(start)} to {_when(end)}",
                found=f"a series whose first bundle speaks from {format_ms(bundle.first_bar)} on",
                expected=f"--from {format_ms(bundle.first_bar)} or later",
            )
        return False
    trained = (bundle.manifest.training_start, bundle.manifest.training_end)
    meets = (start is None or start < trained[1]) and (end is None or end > trained[0])
    if meets and not allow:
        raise TrainingSpanError(
            f"use bars from {_when(start)} to {_when(end)}",
            found=f"bars inside the training span, {format_ms(trained[0])} to {format_ms(trained[1])}",
            expected=f"--from {format_ms(trained[1])} or later",
            remedy="Or allow it with --allow-training-span; the result is then marked.",
        )
    return meets


def predict_panel(
    bundle: Predictor, panel: Mapping[str, Candles], start: int | None, tell: Tell, *, allow: bool, sets: bool = False
) -> dict[str, DecisionFrame]:
    """Every symbol's decisions from `start` on; the bars before it only warm the features.

    As many symbols at once as there are cores: a session runs on one thread, and many may run it.
    """

    def predict(candles: Candles) -> DecisionFrame:
        return bundle.predict_frame(candles, allow_training_span=allow, sets=sets).between(start)

    frames = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for number, (symbol, frame) in enumerate(zip(panel, threads.map(predict, panel.values()), strict=True), 1):
            frames[symbol] = frame
            tell("predicting", number, len(panel))
    return frames


def _when(moment: int | None) -> str:
    return "the first" if moment is None else format_ms(moment)
