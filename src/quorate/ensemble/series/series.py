"""A series of bundles: every bar is decided by the newest bundle trained before it.

On a long test span a single bundle becomes outdated. A series simulates regular retraining: each bundle decides from
the bar after the last one that its labels read until the first bar of the next bundle.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

import numpy as np

from quorate.core.arguments import FUNCTION, require_types
from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import BundleError, TooLittleHistoryError, TrainingSpanError
from quorate.core.sections.vote import VoteSettings
from quorate.core.text.plural import counted
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, Mode, Policy, Signal
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.bench import BenchOf, no_bench
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.stack import Stack
from quorate.ensemble.voting.vote import CONFLICT
from quorate.features import Bars, build, volatility_20
from quorate.features.rescaled import hide_rescaled

#: The `rule` of a bar before the first bar of the series.
BEFORE_SERIES = "before_series"


class BundleSpan(NamedTuple):
    """The span of bars that one bundle decides on.

    Attributes:
        manifest: of the bundle.
        start: open time of the first bar, ms.
        end: open time of the next bundle's first bar, ms; None for the newest bundle.
    """

    manifest: Manifest
    start: int
    end: int | None


class BundleSeries:
    """Bundles trained with the same settings on successive windows.

    Args:
        id: of the series.
        manifests: of the bundles, in any order.
        load: loads a bundle by its id; called when a bar first needs it.

    Attributes:
        spans: of the bundles, oldest first.
        bench_of: who is benched when; see `with_bench`.

    Raises:
        BundleError: there is no bundle, their settings differ, or two were trained up to the same bar.
    """

    def __init__(self, id: str, manifests: Sequence[Manifest], load: Callable[[str], Bundle]) -> None:  # noqa: A002 - as in Bundle
        self.id = id
        ordered = sorted(manifests, key=lambda manifest: manifest.training_end)
        require_same_settings(ordered, f"make a series of {len(ordered)} bundles")
        starts = [first_decided_bar(manifest) for manifest in ordered]
        self.spans = tuple(map(BundleSpan, ordered, starts, [*starts[1:], None]))
        self._starts = starts
        self._load = load
        self._policy: str | None = None
        self._vote: VoteSettings | None = None
        self.bench_of: BenchOf = no_bench
        self._loaded: dict[str, Bundle] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        first = format_ms(self.first_bar)
        return f"BundleSeries({self.id}: {counted(len(self), 'bundle')}, {self.manifest.timeframe}, from {first})"

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def manifest(self) -> Manifest:
        """Manifest of the newest bundle, with the settings of the vote that `with_vote` set."""
        newest = self.spans[-1].manifest
        return newest if self._vote is None else replace(newest, policy=self._vote)

    @property
    def newest(self) -> Bundle:
        """The bundle that decides on the newest bars."""
        return self._bundle(self.spans[-1])

    @property
    def first_bar(self) -> int:
        """Open time in ms of the first bar that the series decides on."""
        return self._starts[0]

    @property
    def mode(self) -> Mode:
        """How many members of the newest bundle are loaded: full, partial or none."""
        return self.newest.mode

    @property
    def decides(self) -> Policy:
        """Policy of the newest bundle; each bundle decides by its own."""
        return self.newest.decides

    @property
    def stack(self) -> Stack | None:
        """Combiner of the newest bundle; None for members that vote."""
        return self.newest.stack

    def status(self) -> dict[str, bool]:
        """Member of the newest bundle -> whether it is loaded."""
        return self.newest.status()

    def with_policy(self, policy: str) -> BundleSeries:
        """The same series with another policy for all bundles.

        Raises:
            BundleError: no such policy, or the newest bundle does not have it. For an older bundle the error is raised
                when a bar first needs it.
        """
        self.newest.with_policy(policy)
        other = copy(self)
        other._policy, other._loaded = policy, {}
        return other

    def with_vote(self, vote: VoteSettings) -> BundleSeries:
        """The same series with other settings of the vote for all bundles; see `Bundle.with_vote`."""
        other = copy(self)
        other._vote, other._loaded = vote, {}
        return other

    def with_bench(self, bench_of: BenchOf) -> BundleSeries:
        """The same series, whose benched members abstain; see `Predictor`."""
        require_types("set the bench", bench_of=(bench_of, FUNCTION))
        other = copy(self)
        other.bench_of, other._loaded = bench_of, {}
        return other

    def bundle_at(self, time: int) -> Bundle:
        """The newest bundle none of whose labels reads the bar that opens at `time`, or a later one.

        Raises:
            TrainingSpanError: the bar is before the first bar of the series.
        """
        place = bisect_right(self._starts, time) - 1
        if place < 0:
            raise self._before_series_error(f"predict the bar of {format_ms(time)}")
        return self._bundle(self.spans[place])

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar, by the bundle of that bar; see `Bundle.predict`.

        Raises:
            TrainingSpanError: the bar is before the first bar of the series, whatever `allow_training_span` is.
        """
        return self.predict_many((candles,), now=now, allow_training_span=allow_training_span)[0]

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """The decision at the newest closed bar of each market, the markets of one bundle in one batch."""
        now = now_ms() if now is None else now
        markets_of: dict[str, list[int]] = {}
        bundles: dict[str, Bundle] = {}
        for number, candles in enumerate(markets):
            closed = candles.closed(now)
            if not len(closed):
                raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
            bundle = self.bundle_at(int(closed.time[-1]))
            bundles[bundle.manifest.id] = bundle
            markets_of.setdefault(bundle.manifest.id, []).append(number)
        signals: dict[int, Signal] = {}
        for name, numbers in markets_of.items():
            batch = [markets[number] for number in numbers]
            decided = bundles[name].predict_many(batch, now=now, allow_training_span=allow_training_span)
            signals.update(zip(numbers, decided, strict=True))
        return [signals[number] for number in range(len(markets))]

    def predict_frame(
        self,
        candles: Candles,
        *,
        allow_training_span: bool = False,  # noqa: ARG002 - as in Bundle; no bundle decides on a bar of its training
        sets: bool = False,
    ) -> DecisionFrame:
        """The decision at every bar, each by the bundle of that bar, from the bars up to it.

        Features are computed once for all candles. Bars before the series have no scores and are HOLD by the rule
        "before_series". Prediction sets start at the initial limit of each bundle.

        Raises:
            BundleError: the candles are of another timeframe.
            TrainingSpanError: all bars are before the first bar of the series.
        """
        if candles.timeframe != self.manifest.timeframe:
            raise BundleError(
                f"predict {candles.symbol}",
                found=f"{candles.timeframe} candles",
                expected=f"{self.manifest.timeframe}, which the bundles were trained on",
            )
        if not len(candles):
            return self.newest.predict_frame(candles)
        if self.in_training_span(candles.time).all():
            raise self._before_series_error(f"predict {candles.symbol}")
        bars, parts = Bars(candles), self._rows(candles)
        wanted = parts[0][0].features
        X, volatility = build(bars, wanted), volatility_20(bars)
        hide_rescaled(X, bars, bars.timeframe, wanted.warmup)
        frames = []
        previous = 0
        for bundle, first, last in parts:
            # Members that read windows need bars before their first one.
            lead = min(previous, max(0, first - bundle.members.window + 1))
            if bundle.mode == "none":
                frame = bundle.predict_frame(candles[:last], allow_training_span=True)
            else:
                rows = slice(lead, last)
                masked = np.arange(lead, last) < first
                frame = bundle.decide_bars(candles[rows], X[rows], volatility[rows], masked, sets=sets)
            frame = frame.between(int(candles.time[previous]))
            frames.append(_mask_before_series(frame, first - previous) if first > previous else frame)
            previous = last
        return DecisionFrame.concat(frames)

    def in_training_span(self, time: IntArray) -> BoolArray:
        """(n,) True at open times before `first_bar`, at which no bundle decides."""
        return time < self.first_bar

    def span_index(self, time: IntArray) -> IntArray:
        """(n,) index of each bar's span in `spans`; -1 before the first."""
        return np.searchsorted(self._starts, time, side="right") - 1

    def prior_at(self, time: IntArray) -> FloatArray:
        """(n, 3) class shares in the training rows of each bar's bundle."""
        shares = np.array([span.manifest.class_prior for span in self.spans])
        return np.asarray(shares[self.span_index(time)])

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """Split a frame by the bundle that decided each bar, oldest first; bars before the series are left out."""
        parts = [(span, frame.between(span.start, span.end)) for span in self.spans]
        return [(self._bundle(span), part) for span, part in parts if len(part)]

    def _rows(self, candles: Candles) -> list[tuple[Bundle, int, int]]:
        """Each bundle that decides on some of the candles, its first row and the row after its last."""
        edges = [*np.searchsorted(candles.time, self._starts).tolist(), len(candles)]
        spans = zip(self.spans, edges, edges[1:], strict=False)
        return [(self._bundle(span), first, last) for span, first, last in spans if first < last]

    def _bundle(self, span: BundleSpan) -> Bundle:
        with self._lock:
            name = span.manifest.id
            if name not in self._loaded:
                bundle = self._load(name).with_bench(self.bench_of)
                bundle = bundle if self._vote is None else bundle.with_vote(self._vote)
                self._loaded[name] = bundle if self._policy is None else bundle.with_policy(self._policy)
            return self._loaded[name]

    def _before_series_error(self, attempted: str) -> TrainingSpanError:
        return TrainingSpanError(
            attempted,
            found=f"bars before {format_ms(self.first_bar)}, the first bar of a series of {len(self)} bundles",
            expected=f"bars from {format_ms(self.first_bar)} on",
            remedy="Choose later bars, or train a series that starts earlier.",
        )


def _mask_before_series(frame: DecisionFrame, bars: int) -> DecisionFrame:
    """The frame with HOLD by the rule "before_series" on its first bars."""
    masked = np.arange(len(frame)) < bars
    return replace(
        frame,
        action=np.where(masked, Action.HOLD, frame.action).astype(np.int8),
        consensus=np.where(masked, CONFLICT, frame.consensus),
        rule=np.where(masked, BEFORE_SERIES, frame.rule),
    )


def first_decided_bar(manifest: Manifest) -> int:
    """Open time in ms of the first bar that a bundle of a series decides on.

    This is the bar after the last one whose close a label reads: before that bar has closed, the bundle cannot be
    trained.
    """
    return manifest.training_end + timeframe_ms(manifest.timeframe)


def require_same_settings(manifests: Sequence[Manifest], attempted: str) -> None:
    """Require bundles trained with the same settings, each up to a later bar.

    Args:
        manifests: in order of the end of their training spans.
        attempted: what was attempted, for the error.

    Raises:
        BundleError: names what differs.
    """
    if not manifests:
        raise BundleError(attempted, found="no bundle", expected="at least one")
    for one in manifests[1:]:
        for what in ("recipe", "timeframe", "features", "feature_hash", "target", "policy"):
            first, other = getattr(manifests[0], what), getattr(one, what)
            if isinstance(first, VoteSettings):
                first, other = first.chosen, other.chosen
            if first != other:
                raise BundleError(
                    attempted,
                    found=f"{what} {other} in {one.id}",
                    expected=f"{first}, as in {manifests[0].id}",
                    remedy="Train the whole series with the same settings.",
                )
        models = [[member.model for member in manifest.members] for manifest in (manifests[0], one)]
        if models[0] != models[1]:
            raise BundleError(
                attempted, found=f"members {', '.join(models[1])} in {one.id}", expected=", ".join(models[0])
            )
    ends = [manifest.training_end for manifest in manifests]
    for earlier, later, end in zip(manifests, manifests[1:], ends[1:], strict=False):
        if earlier.training_end == end:
            raise BundleError(
                attempted,
                found=f"{earlier.id} and {later.id}, both trained up to {format_ms(end)}",
                expected="each trained up to a later bar than the one before",
            )
