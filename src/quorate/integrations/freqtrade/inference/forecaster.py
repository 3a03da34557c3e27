"""Freqtrade's frame of one pair to every bar's own decision; what cannot be decided is no entry, with a reason."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.core.clock import format_ms
from quorate.core.errors import BundleError, FreqtradeError, QuorateError, TrainingSpanError
from quorate.core.types import Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.inference.bar_checks import TRAINING_SPAN
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.series import BEFORE_SERIES
from quorate.ensemble.voting.fallback import fallback_decisions
from quorate.features import Bars, atr_14, volatility_20
from quorate.integrations.freqtrade.frames import read_frame
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.frame_cache import FrameCache, frame_key
from quorate.integrations.freqtrade.inference.signal_columns import empty_columns, frame_columns
from quorate.integrations.freqtrade.strategy_options import Options

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

# Messages that are remembered as said; a bot that runs for years forgets the oldest troubles.
_MOST_SAID = 1_000


class FrameForecast(NamedTuple):
    """What is known of one pair.

    Attributes:
        bundle: id of the bundle that decided.
        candles: n of them.
        decisions: n bars.
        atr: (n,) ATR(14) in price units; NaN in warm-up.
        rows: (n,) the frame's row of each bar.
        length: rows of the frame.
    """

    bundle: str
    candles: Candles
    decisions: DecisionFrame
    atr: FloatArray
    rows: IntArray
    length: int

    def row(self, time: int) -> int | None:
        """The row of the bar that opens at `time`; None where there is none."""
        row = int(np.searchsorted(self.decisions.time, time))
        return row if row < len(self.decisions) and int(self.decisions.time[row]) == time else None


class Forecaster:
    """The bundle's decisions over Freqtrade's frames, each frame predicted once.

    Args:
        options: what is allowed.
        source: of the bundle.
    """

    def __init__(self, options: Options, source: BundleSource) -> None:
        self._options = options
        self._source = source
        self._cache = None if options.cache is None else FrameCache(options.cache)
        self._newest: dict[str, tuple[str, FrameForecast]] = {}
        self._said: set[str] = set()

    def told(self, pair: str) -> FrameForecast | None:
        """What was last told of a pair; None before, and where its last frame gave no decisions."""
        found = self._newest.get(pair)
        return None if found is None else found[1]

    def put(self, pair: str, told: FrameForecast) -> None:
        """Know of a pair what somebody else has decided."""
        self._newest[pair] = ("", told)

    def all_told(self, time: int) -> dict[str, tuple[FrameForecast, int]]:
        """Every pair that was decided on at the bar that opens at `time`, and its row."""
        rows = {pair: (told, told.row(time)) for pair, (_, told) in self._newest.items()}
        return {pair: (told, row) for pair, (told, row) in rows.items() if row is not None}

    def columns(self, frame: pd.DataFrame, pair: str, timeframe: str) -> dict[str, npt.NDArray[Any]]:
        """The columns of a frame: decisions where there are any, else none with the reason as rule. Never raises for
        a frame, a pair or a timeframe: the bot keeps running, the log says why there is no entry.
        """
        models = self._source.models
        try:
            told = self._tell(frame, pair, timeframe)
        except TrainingSpanError as error:
            self._say_once(logging.WARNING, f"no entries in {pair}: {error}")
            reason = TRAINING_SPAN
        except QuorateError as error:
            self._say_once(logging.ERROR, f"no entries in {pair}: {error}")
            reason = "refused"
        else:
            return frame_columns(told.decisions, told.atr, told.rows, len(frame), models)
        self._newest.pop(pair, None)
        return empty_columns(len(frame), models, reason)

    def _tell(self, frame: pd.DataFrame, pair: str, timeframe: str) -> FrameForecast:
        self._require_known(pair, timeframe)
        candles, rows = read_frame(frame, pair, timeframe)
        own = self._options.own
        key = frame_key(candles, self._source.id, own.policy, own.allow_training_span)
        known = self._newest.get(pair)
        if known is not None and known[0] == key:
            return known[1]._replace(rows=rows, length=len(frame))
        if len(candles) < LIVE_BARS:
            self._say_once(
                logging.WARNING,
                f"{pair}: {len(candles)} bars; members abstain until there are as many as they read, up to {LIVE_BARS}",
            )
        decisions = None if self._cache is None else self._cache.load(key)
        if decisions is None:
            decisions = self._decide(candles)
            if self._cache is not None:
                self._cache.keep(key, decisions)
        self._say_seen(decisions)
        atr = atr_14(Bars(candles)) if len(candles) else np.zeros(0)
        told = FrameForecast(self._source.id, candles, decisions, atr, rows, len(frame))
        self._newest[pair] = (key, told)
        return told

    def _decide(self, candles: Candles) -> DecisionFrame:
        bundle = self._source.bundle
        if bundle is not None:
            return bundle.predict_frame(candles, allow_training_span=self._options.own.allow_training_span)
        bars = Bars(candles)
        said = fallback_decisions(bars)
        return DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=said.action,
            confidence=said.confidence,
            base=said.base,
            consensus=said.consensus,
            rule=said.rule,
            volatility=volatility_20(bars),
            synthetic=candles.synthetic,
        )

    def _require_known(self, pair: str, timeframe: str) -> None:
        bundle = self._source.bundle
        if bundle is None:
            return
        manifest = bundle.manifest
        if timeframe != manifest.timeframe:
            raise BundleError(
                f"predict {pair}",
                found=f"the strategy's timeframe {timeframe}",
                expected=f"{manifest.timeframe}, which the bundle {manifest.id} was trained on",
                remedy=f'Set "timeframe": "{manifest.timeframe}", or train a bundle of {timeframe}.',
            )
        if pair in manifest.symbols or self._options.own.unseen_pairs:
            return
        spot = all(":" not in symbol for symbol in manifest.symbols)
        if (":" not in pair) != spot:
            raise FreqtradeError(
                f"predict {pair}",
                found="a spot market" if ":" not in pair else "a perpetual",
                expected=f"{'spot markets' if spot else 'perpetuals'}, which the bundle {manifest.id} was trained on",
                remedy='Set "trading_mode" to fit the bundle, or allow it: "quorate": {"unseen_pairs": true}.',
            )
        raise FreqtradeError(
            f"predict {pair}",
            found="a pair that the bundle was not trained on",
            expected=f"one of its {len(manifest.symbols)}: {', '.join(manifest.symbols[:5])} ...",
            remedy='Allow pairs that it never saw: "quorate": {"unseen_pairs": true}.',
        )

    def _say_seen(self, decisions: DecisionFrame) -> None:
        """The bars that trained the bundle, or come before a series, give no entries: said once for each bundle."""
        bundle = self._source.bundle
        if bundle is None:
            return
        early = decisions.rule == BEFORE_SERIES
        if early.any():
            self._say_once(
                logging.WARNING,
                f"no entries before {format_ms(int(decisions.time[~early][0]))}: the series {self._source.id} has no "
                "bundle that was trained earlier",
            )
        if not (decisions.rule == TRAINING_SPAN).any():
            return
        span = bundle.manifest.to_json()["training_span"]
        self._say_once(
            logging.WARNING,
            f"no entries from {span['from']} to {span['to']}: the bundle {bundle.manifest.id} was trained on them "
            '(to trade them all the same: "quorate": {"allow_training_span": true})',
        )

    def _say_once(self, level: int, message: str) -> None:
        if message not in self._said:
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            self._said.add(message)
            _log.log(level, "%s", message)
