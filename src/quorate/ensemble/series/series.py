"""A dated series of bundles: for every bar the newest one that was trained before it.

A long test of one bundle is a test of old news. A series is what would have been there at the time: each bundle speaks
from the bar after the last one that its labels have read until the next bundle takes over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

import numpy as np

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import BundleError, TooLittleHistoryError, TrainingSpanError
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, Mode, Policy, Signal
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.stack import Stack
from quorate.ensemble.voting.vote import CONFLICT
from quorate.features import Bars, build, volatility_20

#: The `rule` of a bar that is older than what the first bundle may speak on.
BEFORE_SERIES = "before_series"


class BundleSpan(NamedTuple):
    """The bars of one bundle.

    Attributes:
        manifest: of the bundle.
        start: open time of its first bar, ms.
        end: of the first bar of the next bundle; None for the newest.
    """

    manifest: Manifest
    start: int
    end: int | None


class BundleSeries:
    """Bundles of one kind, each trained later than the one before.

    Args:
        id: of the series.
        manifests: of the bundles; the order does not matter.
        load: a bundle's id -> the bundle, verified and started; asked when a bar first needs it.

    Attributes:
        spans: who speaks when, oldest first.

    Raises:
        BundleError: no bundle, bundles that were made differently, or two whose training ends with the same bar.
    """

    def __init__(self, id: str, manifests: Sequence[Manifest], load: Callable[[str], Bundle]) -> None:  # noqa: A002 - as a bundle's
        self.id = id
        ordered = sorted(manifests, key=lambda manifest: manifest.training_end)
        require_alike(ordered, f"make a series of {len(ordered)} bundles")
        starts = [first_decided_bar(manifest) for manifest in ordered]
        self.spans = tuple(map(BundleSpan, ordered, starts, [*starts[1:], None]))
        self._starts = starts
        self._load = load
        self._policy: str | None = None
        self._loaded: dict[str, Bundle] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def manifest(self) -> Manifest:
        """Of the newest bundle; what they have in common can be read off it."""
        return self.spans[-1].manifest

    @property
    def newest(self) -> Bundle:
        """The bundle that speaks on the bars of today."""
        return self._bundle(self.spans[-1])

    @property
    def first_bar(self) -> int:
        """Open time in ms of the first bar that the series speaks on."""
        return self._starts[0]

    @property
    def mode(self) -> Mode:
        """Of the newest bundle."""
        return self.newest.mode

    @property
    def decides(self) -> Policy:
        """The policy of the newest bundle; each decides by its own."""
        return self.newest.decides

    @property
    def stack(self) -> Stack | None:
        """The newest bundle's; None for members that vote."""
        return self.newest.stack

    def status(self) -> dict[str, bool]:
        """Every member of the newest bundle, and whether it is loaded."""
        return self.newest.status()

    def by(self, policy: str) -> BundleSeries:
        """The same series whose bundles decide by another policy.

        Raises:
            BundleError: no such policy, or the newest bundle lacks it. Another that lacks it says so when it is needed.
        """
        self.newest.by(policy)
        other = copy(self)
        other._policy, other._loaded = policy, {}
        return other

    def at(self, time: int) -> Bundle:
        """The newest bundle whose training, ends of labels included, was over before the bar that opens at `time`.

        Raises:
            TrainingSpanError: the bar comes before what the first bundle may speak on.
        """
        place = bisect_right(self._starts, time) - 1
        if place < 0:
            raise self._refusal(f"predict the bar of {format_ms(time)}")
        return self._bundle(self.spans[place])

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar, by the bundle of that bar; as `Bundle.predict`.

        Raises:
            TrainingSpanError: the bar comes before what the first bundle may speak on; there is nobody to ask, so
                `allow_training_span` changes nothing.
        """
        return self.predict_many((candles,), now=now, allow_training_span=allow_training_span)[0]

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """`predict` for several markets, those of one bundle asked in one batch."""
        now = now_ms() if now is None else now
        asked: dict[str, list[int]] = {}
        bundles: dict[str, Bundle] = {}
        for number, candles in enumerate(markets):
            closed = candles.closed(now)
            if not len(closed):
                raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
            bundle = self.at(int(closed.time[-1]))
            bundles[bundle.manifest.id] = bundle
            asked.setdefault(bundle.manifest.id, []).append(number)
        said: dict[int, Signal] = {}
        for name, numbers in asked.items():
            own = [markets[number] for number in numbers]
            signals = bundles[name].predict_many(own, now=now, allow_training_span=allow_training_span)
            said.update(zip(numbers, signals, strict=True))
        return [said[number] for number in range(len(markets))]

    def predict_frame(
        self,
        candles: Candles,
        *,
        allow_training_span: bool = False,  # noqa: ARG002 - as a bundle's; no bar meets a bundle trained on it
        sets: bool = False,
    ) -> DecisionFrame:
        """The decision at every bar, each by the bundle of that bar, from the bars up to it.

        Features are worked out once over all candles. Bars before the first bundle's get no scores: HOLD, by the rule
        "before_series". Prediction sets begin anew with each bundle, where its choosing slice left them.

        Raises:
            BundleError: candles of another timeframe.
            TrainingSpanError: every bar comes before what the first bundle may speak on.
        """
        if candles.timeframe != self.manifest.timeframe:
            raise BundleError(
                f"predict {candles.symbol}",
                found=f"{candles.timeframe} candles",
                expected=f"{self.manifest.timeframe}, which the bundles were trained on",
            )
        if not len(candles):
            return self.newest.predict_frame(candles)
        if self.in_training_span(candles).all():
            raise self._refusal(f"predict {candles.symbol}")
        bars, parts = Bars(candles), self._rows(candles)
        X, volatility = build(bars, parts[0][0].features), volatility_20(bars)
        frames = []
        begun = 0
        for bundle, first, last in parts:
            # Members that read a window of bars need those before their first one, too.
            lead = min(begun, max(0, first - bundle.members.window + 1))
            if bundle.mode == "none":
                said = bundle.predict_frame(candles[:last], allow_training_span=True)
            else:
                rows = slice(lead, last)
                silent = np.arange(lead, last) < first
                said = bundle.decide_bars(candles[rows], X[rows], volatility[rows], silent, sets=sets)
            said = said.between(int(candles.time[begun]))
            frames.append(_hushed(said, first - begun) if first > begun else said)
            begun = last
        return DecisionFrame.concat(frames)

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True on bars that no bundle may speak on: those before `first_bar`."""
        return candles.time < self.first_bar

    def span_index(self, time: IntArray) -> IntArray:
        """(n,) which of the spans each bar belongs to; -1 before the first."""
        return np.searchsorted(self._starts, time, side="right") - 1

    def prior_at(self, time: IntArray) -> FloatArray:
        """(n, 3) class shares of the rows that trained the bundle of each bar."""
        shares = np.array([span.manifest.class_prior for span in self.spans])
        return np.asarray(shares[self.span_index(time)])

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """A frame's bars by the bundle that decided them, oldest first; those before the first bundle's left out."""
        cut = [(span, frame.between(span.start, span.end)) for span in self.spans]
        return [(self._bundle(span), part) for span, part in cut if len(part)]

    def _rows(self, candles: Candles) -> list[tuple[Bundle, int, int]]:
        """Every bundle that has bars here, and its first row and the one after its last."""
        edges = [*np.searchsorted(candles.time, self._starts).tolist(), len(candles)]
        spans = zip(self.spans, edges, edges[1:], strict=False)
        return [(self._bundle(span), first, last) for span, first, last in spans if first < last]

    def _bundle(self, span: BundleSpan) -> Bundle:
        with self._lock:
            name = span.manifest.id
            if name not in self._loaded:
                bundle = self._load(name)
                self._loaded[name] = bundle if self._policy is None else bundle.by(self._policy)
            return self._loaded[name]

    def _refusal(self, attempted: str) -> TrainingSpanError:
        return TrainingSpanError(
            attempted,
            found=f"bars before {format_ms(self.first_bar)}, when the first of {len(self)} bundles was trained",
            expected=f"bars from {format_ms(self.first_bar)} on",
            remedy="Choose later bars, or train a series that begins earlier.",
        )


def _hushed(frame: DecisionFrame, bars: int) -> DecisionFrame:
    """The frame whose first bars come before the series."""
    early = np.arange(len(frame)) < bars
    return replace(
        frame,
        action=np.where(early, Action.HOLD, frame.action).astype(np.int8),
        consensus=np.where(early, CONFLICT, frame.consensus),
        rule=np.where(early, BEFORE_SERIES, frame.rule),
    )


def first_decided_bar(manifest: Manifest) -> int:
    """Open time in ms of the first bar that a bundle of a series speaks on.

    The last bar whose close a label has read is left to the bundle before: its own could not have been trained before
    that bar had closed.
    """
    return manifest.training_end + timeframe_ms(manifest.timeframe)


def require_alike(manifests: Sequence[Manifest], attempted: str) -> None:
    """Refuse bundles that do not make one series.

    Args:
        manifests: in order of their training's end.
        attempted: for the message.

    Raises:
        BundleError: what differs is named.
    """
    if not manifests:
        raise BundleError(attempted, found="no bundle", expected="one or more")
    for one in manifests[1:]:
        for what in ("recipe", "timeframe", "features", "feature_hash", "target", "policy"):
            ours, theirs = getattr(manifests[0], what), getattr(one, what)
            if ours != theirs:
                raise BundleError(
                    attempted,
                    found=f"{what} {theirs} in {one.id}",
                    expected=f"{ours}, as in {manifests[0].id}",
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
                expected="each trained later than the one before",
            )
