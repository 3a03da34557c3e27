"""One test span of one trial: members fitted on earlier bars, and their log-loss on the question of the study."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.errors import SettingsError
from quorate.core.machine.worker import Report
from quorate.core.settings import Settings
from quorate.core.types import Action, Candles, FloatArray, Funding, IntArray, finite_rows
from quorate.ensemble.evidence.days import day_means, day_numbers
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.metrics.classification import prior_scores, row_log_loss
from quorate.evaluation.walk_forward.fold_fit import FitKey, FoldFits, FoldParts
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_set
from quorate.lifecycle.tune.answer import AnswerMap
from quorate.lifecycle.tune.space import Choices, with_choices
from quorate.lifecycle.tune.spans import Span
from quorate.models import Model
from quorate.models.registry import build
from quorate.targets import ForwardClass, Target


class TrialSpan(NamedTuple):
    """A trial, and one of its test spans, whose number counts from 0."""

    trial: int
    place: int

    def __str__(self) -> str:
        return f"trial {self.trial}, test span {self.place + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class SpanScore:
    """Losses of a trial on a test span.

    Attributes:
        time: (k,) int64 ms, of each row whose label of the question is known.
        loss: (k,) log-loss of the mapped mean scores, nats; that of the class shares where no member scored.
        reference: (k,) log-loss of the class shares of the rows before, nats.
        leaning: (d,) mean return of each day of positions of the size P(BUY) - P(SELL), a fraction, before costs.
        seconds: wall time.
        failure: why a member could not be fitted; then there are no rows.
    """

    time: IntArray
    loss: FloatArray
    reference: FloatArray
    leaning: FloatArray
    seconds: float
    failure: str = ""

    @property
    def skill(self) -> float:
        """Share of the reference's loss that is saved."""
        return 1 - float(self.loss.sum()) / float(self.reference.sum())

    def blocks(self, start: int, days: int) -> FloatArray:
        """(b,) mean loss saved in each block of days from `start` on, as a share of the mean reference loss."""
        block = (self.time - start) // (days * DAY_MS)
        saved = (self.reference - self.loss) / self.reference.mean()
        return day_means(saved, block, int(block.max()) + 1)


@dataclass(frozen=True, eq=False)
class SpanScorer:
    """Scores trials on test spans; called for each of them, in any process and in any order.

    Attributes:
        panel: symbol -> candles, none of which lies after what may be read.
        funding: symbol -> settlements.
        members: names.
        settings: as they are; a trial changes some of them.
        start: first bar that may have a row, ms.
        embargo_ms: between the last label that anything is fitted on and a test span.
    """

    panel: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    members: Sequence[str]
    settings: Settings
    start: int
    embargo_ms: int
    # Feature set -> its rows with the labels of the question; made anew in each process.
    _rows: dict[str, LabelledBars] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, key: TrialSpan, given: tuple[Choices, Span], report: Report) -> SpanScore:
        """Fit the members of a trial before a test span and score it; what fails is the outcome, not raised."""
        began = time.perf_counter()
        choices, span = given
        try:
            settings = with_choices(choices, self.settings)
        except SettingsError as error:
            return _failed(str(error), began)
        question = self._question(settings.train.features)
        rows = self._labelled(question, settings)
        fold = self._fold(key, question, rows, span)
        if not len(fold.train) or not len(fold.test):
            return _failed(f"{len(fold.train)} rows to train on, {len(fold.test)} to test", began)
        parts = FoldParts.of(fold, rows, settings)
        later = len(parts.scored) - len(fold.test)

        def built(name: str) -> Model:
            train = settings.train
            return build(
                name, "class", settings.models, seed=train.seed, threads=train.threads or 1, features=rows.columns
            )

        fits = FoldFits(rows, (parts,), tuple(self.members), (), settings, built, None)
        tables: dict[str, FloatArray] = {}
        for name in self.members:
            fitted = fits(FitKey(0, name), None, report)
            if fitted.scores is None:
                return _failed(f"{name}: {fitted.fit.failure}", began)
            tables[name] = fitted.scores
        mean = mean_scores(tables, settings.vote)
        answer = AnswerMap.fit(mean[:later], question.y[parts.scored[:later]])
        y = question.y[fold.test]
        shares = prior_scores(self._shares(question, span), len(y))
        table = answer.probabilities(mean[later:])
        table = np.where(finite_rows(table)[:, None], table, shares)
        leaning = (table[:, Action.BUY] - table[:, Action.SELL]) * question.forward_return[fold.test]
        return SpanScore(
            rows.time[fold.test],
            row_log_loss(y, table),
            row_log_loss(y, shares),
            day_means(leaning, *day_numbers(rows.time[fold.test])),
            time.perf_counter() - began,
        )

    def _question(self, features: str) -> LabelledBars:
        """Every bar with the labels of the question and the columns of a feature set."""
        if features not in self._rows:
            wanted = feature_set(features, self.settings.features)
            self._rows[features] = build_rows(
                self.panel, wanted, _target(self.settings), self.start, funding=self.funding
            )
        return self._rows[features]

    def _labelled(self, question: LabelledBars, settings: Settings) -> LabelledBars:
        """The same bars with a trial's labels; the span of a row is that of both its labels."""
        if settings.target == self.settings.target:
            return question
        y, known, forward_return = question.y.copy(), question.known.copy(), question.forward_return.copy()
        span_end, target = question.span_end.copy(), _target(settings)
        for symbol, span in question.spans.items():
            candles = self.panel[symbol]
            labels, own = target.label(candles), slice(int(np.searchsorted(candles.time, self.start)), None)
            y[span], forward_return[span] = labels.y[own], labels.forward_return[own]
            known[span] &= labels.known[own]
            span_end[span] = np.maximum(span_end[span], labels.span_end[own])
        return replace(question, y=y, known=known, forward_return=forward_return, span_end=span_end)

    def _fold(self, key: TrialSpan, question: LabelledBars, rows: LabelledBars, span: Span) -> FoldRows:
        before = (rows.time < span[0]) & (rows.span_end < span[0] - self.embargo_ms)
        train = np.flatnonzero(rows.trainable & before)
        test = np.flatnonzero(question.known & (rows.time >= span[0]) & (rows.time < span[1]))
        return FoldRows(key.place, train, test, *span, 0, 0)

    def _shares(self, question: LabelledBars, span: Span) -> FloatArray:
        """(3,) shares of the classes of the question before a span: the same for every trial."""
        before = question.known & (question.time < span[0]) & (question.span_end < span[0] - self.embargo_ms)
        return class_prior(question.y[before])


def _failed(why: str, began: float) -> SpanScore:
    none = np.empty(0)
    return SpanScore(np.empty(0, np.int64), none, none, none, time.perf_counter() - began, why)


def _target(settings: Settings) -> Target:
    return ForwardClass(settings.target.horizon, settings.target.band)
