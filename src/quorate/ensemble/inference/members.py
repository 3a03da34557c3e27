"""The members of a loaded bundle. A member that fails or times out abstains; the others are not affected."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.machine import whole_cores
from quorate.core.sections.vote import PredictSettings
from quorate.core.types import (
    Abstention,
    Action,
    ActionArray,
    BoolArray,
    Float32Array,
    FloatArray,
    Forecast,
    Mode,
    Vote,
)
from quorate.ensemble.inference.deadline_pool import DeadlinePool
from quorate.ensemble.voting.member_votes import top_action
from quorate.ensemble.voting.vote import loaded_mode
from quorate.features import Inputs, Sequences
from quorate.models.input_checks import Matrix
from quorate.models.runtime import OnnxSession

# In single precision a softmax may exceed 1 by its last bit.
_ROUNDING = 1e-6

# Output of a member for one bar: a vote, or in a stack a forecast.
Output = TypeVar("Output", Vote, Forecast)

# A session runs on one thread; several threads may run the same session.
_CORES = whole_cores()

# Runs older than this share of the deadline are stopped when a member misses it: those of other calls go on.
_OVERDUE_SHARE = 0.8

# In the reasons of abstentions of members that were asked and gave no valid answer in time.
_LATE, _FAILED, _INVALID = "exceeded ", "failed: ", "scores are "

_log = logging.getLogger(__name__)


class Members:
    """All configured members, loaded or not.

    Args:
        order: names of all members, in the order of the manifest.
        sessions: model -> session, for members that could be loaded.
        failures: model -> why it could not be loaded.
        limits: time limits of each member.
        outputs: values that a member returns for a row: 3 scores, or 1 return.
    """

    def __init__(
        self,
        order: Sequence[str],
        sessions: Mapping[str, OnnxSession],
        failures: Mapping[str, str],
        limits: PredictSettings,
        outputs: int = 3,
    ) -> None:
        self.order = tuple(order)
        self.sessions = dict(sessions)
        self.failures = dict(failures)
        self._limits = limits
        self._deadline_s = limits.deadline_ms / 1000
        self._stopped: dict[str, str] = {}  # model -> why it is not run over further frames
        self._outputs = outputs
        self._pool = DeadlinePool()

    def __len__(self) -> int:
        return len(self.order)

    def with_sessions(self, sessions: Mapping[str, OnnxSession]) -> Members:
        """The same members, with these sessions in place of theirs."""
        return Members(self.order, sessions, self.failures, self._limits, self._outputs)

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none."""
        return loaded_mode(len(self.sessions), len(self))

    def abstain(self, reason: str) -> tuple[Abstention, ...]:
        """An abstention of every member: loaded ones for this reason, the others because they could not be loaded."""
        return tuple(Abstention(model, self.failures.get(model, reason)) for model in self.order)

    @cached_property
    def window(self) -> int:
        """Number of bars that the member with the longest window reads."""
        return max((session.window for session in self.sessions.values()), default=1)

    def votes(self, markets: Sequence[Inputs]) -> list[list[Vote | Abstention]]:
        """Votes on the newest bar of each market; each member runs once on the batch of all markets.

        A member abstains if it is not loaded, lacks bars that it reads, misses the deadline, fails, or returns invalid
        scores. The deadline is multiplied by the number of markets.

        Returns:
            For each market the vote or abstention of every member, in order.
        """
        return self._predict_newest(markets, _to_vote)

    def forecasts(
        self, markets: Sequence[Inputs], actions: Callable[[FloatArray], ActionArray]
    ) -> list[list[Forecast | Abstention]]:
        """Forecasts of a stack's members for the newest bar of each market; abstentions as in `votes`.

        Args:
            markets: the newest bars of each market.
            actions: maps (n,) predicted returns to (n,) actions.
        """
        return self._predict_newest(markets, partial(_to_forecast, actions))

    def _predict_newest(
        self, markets: Sequence[Inputs], convert: Callable[[str, FloatArray], Output | Abstention]
    ) -> list[list[Output | Abstention]]:
        """Every member's output for the newest bar of each market; `convert` makes it from the member's row."""
        batches: dict[str, Float32Array] = {}
        places: dict[str, dict[int, int]] = {}
        # The longest window first: where it is whole, the others are.
        for model, session in sorted(self.sessions.items(), key=lambda member: -member[1].window):
            newest = [(number, bars.newest(session.window)) for number, bars in enumerate(markets)]
            ready = [(number, rows) for number, rows in newest if rows is not None]
            places[model] = {number: place for place, (number, _) in enumerate(ready)}
            if ready:
                batches[model] = ready[0][1] if len(ready) == 1 else np.concatenate([rows for _, rows in ready])
        results = self._run_batches(batches, max(1, len(markets)))
        predictions: list[list[Output | Abstention]] = []
        for number, bars in enumerate(markets):
            outputs: list[Output | Abstention] = []
            for model in self.order:
                if model in self.failures:
                    outputs.append(Abstention(model, self.failures[model]))
                elif number not in places[model]:
                    outputs.append(Abstention(model, bars.lack(self.sessions[model].window)))
                elif isinstance(result := results[model], Abstention):
                    outputs.append(result)
                else:
                    place = places[model][number]
                    outputs.append(convert(model, result[place : place + 1]))
            predictions.append(outputs)
        return predictions

    def scores(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        """Every member's (n, 3) scores; NaN on bars that are not usable or whose window is incomplete, and where the
        member abstains.

        The time limit is far above what a member needs, so that a frame does not depend on the load of the machine. A
        member that exceeds it is stopped and abstains from later frames as well.
        """
        return self._tables(bars, usable)

    def returns(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        """Every member's (n,) predicted returns, for a stack; NaN as in `scores`."""
        return {model: table[:, 0] for model, table in self._tables(bars, usable).items()}

    def outputs(self, model: str, rows: Matrix) -> FloatArray:
        """(B, C) outputs of a loaded member for any of its inputs, (B, F) or (B, L, F), split over the cores.

        Raises:
            ModelError: it fails, or exceeds the time limit of a frame of so many bars.
        """
        return self._run_parallel(model, rows)

    def _tables(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        tables = {}
        for model in self.order:
            tables[model] = np.full((len(bars), self._outputs), np.nan)
            if model in self.sessions:
                window = self.sessions[model].window
                rows = np.flatnonzero(usable & bars.whole(window))
                if len(rows):
                    tables[model][rows] = self._run_frame(model, bars.at(rows, window))
        return tables

    def _run_batches(self, batches: Mapping[str, Float32Array], markets: int) -> dict[str, FloatArray | Abstention]:
        """Each member's result for its batch; a batch of several markets is split over the cores."""
        threads = _CORES if markets > 1 else 1
        parts = [
            (model, rows) for model, batch in batches.items() for rows in _split(batch, self.sessions[model], threads)
        ]
        # The longest first: threads then finish at about the same time.
        parts.sort(key=lambda part: -len(part[1]) * self.sessions[part[0]].window)
        outcomes = self._pool.run(
            [(model, partial(self._run_session, model, rows)) for model, rows in parts],
            self._deadline_s * markets,
            threads,
        )
        found: dict[str, list[FloatArray]] = {model: [] for model in batches}
        abstentions: dict[str, Abstention] = {}
        for (model, _), outcome in zip(parts, outcomes, strict=True):
            if outcome is None:
                self.sessions[model].stop(_OVERDUE_SHARE * self._deadline_s)
                abstentions[model] = Abstention(model, f"{_LATE}{self._deadline_s * 1000:.0f} ms")
            elif isinstance(outcome, BaseException):
                # Any failure of a member is an abstention, never a failed prediction.
                _log.error("%s abstains: %s", model, outcome, exc_info=outcome)
                abstentions[model] = Abstention(model, f"{_FAILED}{outcome}")
            else:
                found[model].append(outcome)
        return {model: abstentions.get(model) or _concatenate(found[model]) for model in batches}

    def _run_frame(self, model: str, rows: Matrix) -> FloatArray:
        """A member's output for a whole frame; NaN if it fails or exceeds the time limit."""
        try:
            output = self._run_parallel(model, rows)
            return _valid_scores(output) if self._outputs == 3 else np.where(np.isfinite(output), output, np.nan)
        except Exception as error:  # noqa: BLE001 - any failure of a member is an abstention
            _log.error("%s abstains from %d bars: %s", model, len(rows), error, exc_info=error)
            return np.full((len(rows), self._outputs), np.nan)

    def _run_parallel(self, model: str, rows: Matrix) -> FloatArray:
        """`_run_session`, with many rows split over the cores, in threads that do not keep the process alive.

        Raises:
            ModelError: it exceeded the time limit, now or in an earlier frame.
        """
        if model in self._stopped:
            raise self._too_late(model)
        parts = _split(rows, self.sessions[model], _CORES)
        limit_s = self._limits.frame_s + self._limits.frame_row_ms / 1000 * len(rows)
        outcomes = self._pool.run(
            [(model, partial(self._run_session, model, part)) for part in parts], limit_s, len(parts)
        )
        found = []
        for outcome in outcomes:
            if outcome is None:
                self.sessions[model].stop()
                self._stopped[model] = f"no scores of {len(rows)} bars after {limit_s:.1f} s"
                raise self._too_late(model)
            if isinstance(outcome, BaseException):
                raise outcome
            found.append(outcome)
        return _concatenate(found)

    def _too_late(self, model: str) -> ModelError:
        return ModelError(f"run {model}", found=self._stopped[model], expected="a member within the time limit")

    def _run_session(self, model: str, rows: Matrix) -> FloatArray:
        output = self.sessions[model].run(rows)
        if output.shape != (len(rows), self._outputs):
            what, expected = "scores" if self._outputs == 3 else "returns", f"({len(rows)}, {self._outputs})"
            raise ModelError(f"run {model}", found=f"{what} of shape {output.shape}", expected=expected)
        return output


def is_failure(abstention: Abstention) -> bool:
    """Whether a voting member was asked, benched or not, and gave no valid answer in time.

    >>> is_failure(Abstention("nhits", "benched: expired; exceeded 250 ms")), is_failure(Abstention("nhits", "12 bars"))
    (True, False)
    >>> is_failure(Abstention("nhits", "benched: failed: as a person wrote"))
    False
    """
    marks, reason = (_LATE, _FAILED, _INVALID), abstention.reason
    # Its own reason stands behind that of the bench.
    return reason.startswith(marks) or (abstention.benched and any(f"; {mark}" in reason for mark in marks))


def _split(rows: Matrix, session: OnnxSession, most: int) -> list[Matrix]:
    """Split rows into at most `most` parts of about equal length, each a multiple of the graph's batch size."""
    if most == 1 or len(rows) == 1 or session.batch is None:
        return [rows]
    batches = -(-len(rows) // session.batch)
    length = -(-batches // most) * session.batch
    return [_part(rows, first, first + length) for first in range(0, len(rows), max(1, length))]


def _part(rows: Matrix, first: int, last: int) -> Matrix:
    return rows.select(slice(first, last)) if isinstance(rows, Sequences) else rows[first:last]


def _concatenate(parts: Sequence[FloatArray]) -> FloatArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _to_vote(model: str, output: FloatArray) -> Vote | Abstention:
    """A vote from (1, 3) scores: `_valid_scores` and `top_class` for one row, on Python numbers for speed."""
    values: list[float] = output[0].tolist()
    if not all(-_ROUNDING <= score <= 1 + _ROUNDING for score in values):
        return Abstention(model, f"{_INVALID}{values}")
    sell, hold, buy = (min(max(score, 0.0), 1.0) for score in values)
    scores = (sell, hold, buy)
    action = top_action(scores)
    return Vote(model, action, scores[action], scores=scores)


def _to_forecast(actions: Callable[[FloatArray], ActionArray], model: str, output: FloatArray) -> Forecast | Abstention:
    """A forecast from a (1, 1) return."""
    if not np.isfinite(output).all():
        return Abstention(model, f"its return is {output[0, 0]}")
    return Forecast(model, float(output[0, 0]), Action(int(actions(output[:, 0])[0])))


def _valid_scores(output: FloatArray) -> FloatArray:
    """(n, 3) scores, with NaN in every row that is not three numbers from 0 to 1."""
    valid = (output >= -_ROUNDING) & (output <= 1 + _ROUNDING)
    return np.where(valid.all(axis=1, keepdims=True), np.clip(output, 0.0, 1.0), np.nan)
