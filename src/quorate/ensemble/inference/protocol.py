"""The interface that a bundle and a series of bundles share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from quorate.core.types import BoolArray, Candles, DecisionFrame, FloatArray, IntArray, Mode, Policy, Signal
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.stack import Stack


class Predictor(Protocol):
    """Decisions at bars: a `Bundle`, or a `BundleSeries` that has a bundle for every stretch of time.

    Attributes:
        id: of the bundle, or of the series.
        manifest: of the bundle; of a series, that of its newest bundle, which stands for what all have in common.
        newest: the bundle that decides on the newest bars.
        mode, decides, stack: of the newest bundle.
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
    def stack(self) -> Stack | None: ...
    @property
    def first_bar(self) -> int | None: ...

    def status(self) -> dict[str, bool]:
        """Every member of the newest bundle, and whether it is loaded."""

    def by(self, policy: str) -> Self:
        """The same predictor, deciding by another policy.

        Raises:
            BundleError: no such policy, or the bundle lacks it.
        """

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar."""

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """The decision at the newest closed bar of each market, members run once for all."""

    def predict_frame(
        self, candles: Candles, *, allow_training_span: bool = False, sets: bool = False
    ) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it."""

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True on bars that no bundle may decide on."""

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """The bars of a frame by the bundle that decided them, oldest first."""

    def prior_at(self, time: IntArray) -> FloatArray:
        """Class shares of the rows that trained the bundle of each bar: (3,) where it is one bundle, else (n, 3)."""
