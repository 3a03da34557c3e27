"""The members of a loaded bundle: each votes or abstains, and none can take the others down with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from quorate.core.errors import ModelError
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
from quorate.ensemble.voting.vote import loaded_mode
from quorate.ensemble.voting.vote_frame import PREFERENCE
from quorate.features import Inputs, Sequences
from quorate.models.input_checks import Matrix
from quorate.models.runtime import OnnxSession

# Single precision: a softmax may pass 1 by its last bit.
_ROUNDING = 1e-6

# What a member says of one bar: a vote, or in a stack a forecast.
Said = TypeVar("Said", Vote, Forecast)

# A session runs on one thread, and several may run it at once.
_CORES = os.cpu_count() or 1

_log = logging.getLogger(__name__)


class Members:
    """Every configured member, loaded or not.

    Args:
        order: all of them, as the manifest lists them.
        sessions: model -> session, for those that could be loaded.
        failures: model -> why it could not.
        deadline_ms: of each member in a live vote.
        outputs: values that a member gives for a row: 3 scores, or 1 return.
    """

    def __init__(
        self,
        order: Sequence[str],
        sessions: Mapping[str, OnnxSession],
        failures: Mapping[str, str],
        deadline_ms: float,
        outputs: int = 3,
    ) -> None:
        self.order = tuple(order)
        self.sessions = dict(sessions)
        self.failures = dict(failures)
        self._deadline_s = deadline_ms / 1000
        self._outputs = outputs
        self._turns = DeadlinePool()

    def __len__(self) -> int:
        return len(self.order)

    @property
    def mode(self) -> Mode:
        """How many are loaded: full, partial (at least 2) or none."""
        return loaded_mode(len(self.sessions), len(self))

    def abstain(self, reason: str) -> tuple[Abstention, ...]:
        """All of them abstain: those that are loaded for this reason, the others for their own."""
        return tuple(Abstention(model, self.failures.get(model, reason)) for model in self.order)

    @cached_property
    def window(self) -> int:
        """The bars that the member that reads the most of them reads."""
        return max((session.window for session in self.sessions.values()), default=1)

    def vote(self, bars: Inputs) -> list[Vote | Abstention]:
        """Every member's vote on the newest bar, or its abstention: not loaded, without the bars that it reads, late,
        failed, or no scores.
        """
        return self.votes((bars,))[0]

    def votes(self, markets: Sequence[Inputs]) -> list[list[Vote | Abstention]]:
        """`vote` on several markets at once: each member is asked about all of them in one batch.

        Its deadline is that of as many single votes.
        """
        return self._ballots(markets, _cast)

    def forecasts(
        self, markets: Sequence[Inputs], lean: Callable[[FloatArray], ActionArray]
    ) -> list[list[Forecast | Abstention]]:
        """What the members of a stack predict for the newest bar of each market, where `votes` has their votes.

        Args:
            markets: the newest bars of each.
            lean: (n,) predicted returns to (n,) actions.
        """
        return self._ballots(markets, partial(_foretell, lean))

    def _ballots(
        self, markets: Sequence[Inputs], cast: Callable[[str, FloatArray], Said | Abstention]
    ) -> list[list[Said | Abstention]]:
        """Every member's say on the newest bar of each market: `cast` makes it of the row that the member gave."""
        batches: dict[str, Float32Array] = {}
        places: dict[str, dict[int, int]] = {}
        for model, session in self.sessions.items():
            newest = [(number, bars.newest(session.window)) for number, bars in enumerate(markets)]
            ready = [(number, rows) for number, rows in newest if rows is not None]
            places[model] = {number: place for place, (number, _) in enumerate(ready)}
            if ready:
                batches[model] = ready[0][1] if len(ready) == 1 else np.concatenate([rows for _, rows in ready])
        answers = self._answers(batches, max(1, len(markets)))
        ballots: list[list[Said | Abstention]] = []
        for number, bars in enumerate(markets):
            ballot: list[Said | Abstention] = []
            for model in self.order:
                if model in self.failures:
                    ballot.append(Abstention(model, self.failures[model]))
                elif number not in places[model]:
                    ballot.append(Abstention(model, bars.lack(self.sessions[model].window)))
                elif isinstance(answer := answers[model], Abstention):
                    ballot.append(answer)
                else:
                    place = places[model][number]
                    ballot.append(cast(model, answer[place : place + 1]))
            ballots.append(ballot)
        return ballots

    def scores(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        """Every member's (n, 3) scores; NaN on bars that may not be used, without the bars that it reads, and wherever
        it abstains.

        No deadline here: a frame is the same however busy the machine is.
        """
        return self._tables(bars, usable)

    def returns(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        """Every member's (n,) predicted returns of a stack; NaN where `scores` has NaN."""
        return {model: table[:, 0] for model, table in self._tables(bars, usable).items()}

    def _tables(self, bars: Inputs, usable: BoolArray) -> dict[str, FloatArray]:
        tables = {}
        for model in self.order:
            tables[model] = np.full((len(bars), self._outputs), np.nan)
            if model in self.sessions:
                window = self.sessions[model].window
                rows = np.flatnonzero(usable & bars.whole(window))
                if len(rows):
                    tables[model][rows] = self._run(model, bars.at(rows, window))
        return tables

    def _answers(self, batches: Mapping[str, Float32Array], markets: int) -> dict[str, FloatArray | Abstention]:
        """What each member gives for its batch; a batch of several markets is shared out over the cores."""
        threads = _CORES if markets > 1 else 1
        parts = [
            (model, rows) for model, batch in batches.items() for rows in _shares(batch, self.sessions[model], threads)
        ]
        # The longest windows take longest: whoever shares out the rest then has the least to wait for.
        parts.sort(key=lambda part: -len(part[1]) * self.sessions[part[0]].window)
        given = self._turns.ask(
            [(model, partial(self._ask, model, rows)) for model, rows in parts], self._deadline_s * markets, threads
        )
        found: dict[str, list[FloatArray]] = {model: [] for model in batches}
        answers: dict[str, FloatArray | Abstention] = {}
        for (model, _), answer in zip(parts, given, strict=True):
            if answer is None:
                answers[model] = Abstention(model, f"exceeded {self._deadline_s * 1000:.0f} ms")
            elif isinstance(answer, BaseException):
                # Whatever a member does, it is an abstention and never a failed signal.
                _log.error("%s abstains: %s", model, answer, exc_info=answer)
                answers[model] = Abstention(model, f"failed: {answer}")
            else:
                found[model].append(answer)
        return {model: answers.get(model) or _joined(found[model]) for model in batches}

    def _run(self, model: str, rows: Matrix) -> FloatArray:
        """What a member gives for a whole frame; NaN if it fails."""
        try:
            given = self._ask_at_once(model, rows)
            return _only_scores(given) if self._outputs == 3 else np.where(np.isfinite(given), given, np.nan)
        except Exception as error:  # noqa: BLE001 - the edge where a member's failure becomes its abstention
            _log.error("%s abstains from %d bars: %s", model, len(rows), error, exc_info=error)
            return np.full((len(rows), self._outputs), np.nan)

    def _ask_at_once(self, model: str, rows: Matrix) -> FloatArray:
        """`_ask`, shared out over the cores where there are many rows."""
        parts = _shares(rows, self.sessions[model], _CORES)
        if len(parts) == 1:
            return self._ask(model, rows)
        with ThreadPoolExecutor(len(parts), f"quorate-{model}") as threads:
            return _joined(list(threads.map(partial(self._ask, model), parts)))

    def _ask(self, model: str, rows: Matrix) -> FloatArray:
        given = self.sessions[model].run(rows)
        if given.shape != (len(rows), self._outputs):
            what, expected = "scores" if self._outputs == 3 else "returns", f"({len(rows)}, {self._outputs})"
            raise ModelError(f"ask {model}", found=f"{what} of shape {given.shape}", expected=expected)
        return given


def _shares(rows: Matrix, session: OnnxSession, most: int) -> list[Matrix]:
    """Rows in at most so many parts of about the same length, each of whole batches of the session's graph."""
    if most == 1 or len(rows) == 1 or session.batch is None:
        return [rows]
    batches = -(-len(rows) // session.batch)
    length = -(-batches // most) * session.batch
    return [_part(rows, first, first + length) for first in range(0, len(rows), max(1, length))]


def _part(rows: Matrix, first: int, last: int) -> Matrix:
    return rows.select(slice(first, last)) if isinstance(rows, Sequences) else rows[first:last]


def _joined(parts: Sequence[FloatArray]) -> FloatArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _cast(model: str, given: FloatArray) -> Vote | Abstention:
    """(1, 3) scores as a vote: `_only_scores` and `choose` for one row, in plain numbers."""
    told: list[float] = given[0].tolist()
    if not all(-_ROUNDING <= score <= 1 + _ROUNDING for score in told):
        return Abstention(model, f"scores are {told}")
    sell, hold, buy = (min(max(score, 0.0), 1.0) for score in told)
    scores = (sell, hold, buy)
    action = max(PREFERENCE, key=scores.__getitem__)
    return Vote(model, action, scores[action], scores=scores)


def _foretell(lean: Callable[[FloatArray], ActionArray], model: str, given: FloatArray) -> Forecast | Abstention:
    """A (1, 1) return as a forecast."""
    if not np.isfinite(given).all():
        return Abstention(model, f"its return is {given[0, 0]}")
    return Forecast(model, float(given[0, 0]), Action(int(lean(given[:, 0])[0])))


def _only_scores(given: FloatArray) -> FloatArray:
    """The same, with NaN in every row that is not three numbers from 0 to 1."""
    within = (given >= -_ROUNDING) & (given <= 1 + _ROUNDING)
    return np.where(within.all(axis=1, keepdims=True), np.clip(given, 0.0, 1.0), np.nan)
