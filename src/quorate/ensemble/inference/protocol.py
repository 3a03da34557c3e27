"""The interface that a bundle and a series of bundles share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import BoolArray, Candles, DecisionFrame, FloatArray, IntArray, Mode, Policy, Signal
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.bench import BenchOf
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.stack import Stack


class Predictor(Protocol):
    """Predicts decisions at bars: a `Bundle`, or a `BundleSeries` with one bundle for each period.

    Attributes:
        id: of the bundle, or of the series.
        manifest: of the bundle; for a series, of its newest bundle.
        newest: the bundle that decides on the newest bars.
        mode, decides, stack: of the newest bundle.
        bench_of: who is benched when.
        first_bar: open time in ms of the first bar that a series decides on; None for a bundle, which decides on all
            bars outside its training span.
    """

    @property
    def id(self) -> str: ...
    @property
    def manifest(self) -> Manifest: ...
    @property
    def newest(self) -> Bundle: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def decides(self) -> Policy: ...
    @property
    def bench_of(self) -> BenchOf: ...
    @property
    def stack(self) -> Stack | None: ...
    @property
    def first_bar(self) -> int | None: ...

    def status(self) -> dict[str, bool]:
        """Member of the newest bundle -> whether it is loaded."""

    def with_policy(self, policy: str) -> Self:
        """The same predictor with another policy.

        Raises:
            BundleError: no such policy, or the bundle does not have it.
        """

    def with_vote(self, vote: VoteSettings) -> Self:
        """The same predictor with other settings of the vote than it was trained with."""

    def with_bench(self, bench_of: BenchOf) -> Self:
        """The same predictor, whose benched members abstain with the reason "benched: ..." and run all the same.

        Args:
            bench_of: called with the id of the bundle that decides, at every prediction: who is benched when.
        """

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar."""

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """The decision at the newest closed bar of each market; each member runs once on the batch."""

    def predict_frame(
        self, candles: Candles, *, allow_training_span: bool = False, sets: bool = False
    ) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it."""

    def in_training_span(self, time: IntArray) -> BoolArray:
        """(n,) True at open times that are not predicted: inside the training span, or before a series' first bar."""

    def bundle_at(self, time: int) -> Bundle:
        """The bundle that decides on the bar that opens at `time`, ms.

        Raises:
            TrainingSpanError: the bar is before the first bar of a series.
        """

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """Split a frame by the bundle that decided each bar, oldest first."""

    def prior_at(self, time: IntArray) -> FloatArray:
        """Class shares in the training rows of each bar's bundle: (3,) for one bundle, (n, 3) for a series."""
