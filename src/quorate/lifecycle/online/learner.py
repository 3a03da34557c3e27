"""A bundle whose members learn on from live bars.

    bar closes -> labels that it makes known -> update, at every `online.every_bars`-th bar -> scores of the bar

Every row is predicted before its label is learnt from: the label of a row is known once its horizon has closed
(progressive validation with delayed labels; Gama, Sebastiao and Rodrigues, 2013, On evaluating stream learning
algorithms; as of `river.evaluate.progressive_val_score`). Whether learning helps is measured by the challenge.

Memory is bounded. Trees begin at those of the bundle at every update, so that their number stays; networks keep their
shape and a replay buffer of `online.replay_windows` windows; rows are those of the newest few hundred bars.

Probability maps and policy stay those of the bundle. They were fitted on rows of many months; the few weeks of a
challenge say less (a map fitted anew each week costs 0.002 nats: benchmarks/results/online.md), and it would be another
difference from the champion beside what was learnt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict
from typing import Any

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import ArgumentError, DataError, QuorateError
from quorate.core.settings import OnlineSettings
from quorate.core.types import ActionArray, Candles, Float32Array, IntArray, Signal
from quorate.ensemble.inference import Bundle, Predictor
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.recipes import RECIPES
from quorate.lifecycle.online.matured import MaturedRows, matured_rows
from quorate.lifecycle.online.members import OnlineMember, joined, read_members, window_of
from quorate.lifecycle.online.replay import ReplayBuffer
from quorate.lifecycle.online.state_file import ONLINE, LearntState, StateFile
from quorate.models.runtime import OnnxSession

_log = logging.getLogger(__name__)


class OnlineLearner:
    """Decides by a bundle whose members learn on.

    Args:
        bundle: read from a folder, with at least one member that can learn on.
        settings: which members, how often, and how far.
        allow_training_span: also decide on bars that trained the bundle.

    Attributes:
        id: of the bundle, marked.
        state: after the newest update; None before the first.

    Raises:
        ArgumentError: a series, a stack, a bundle that was not read from a folder or without such a member, or features
            that need so many bars that no rows are left to learn from.
        BundleError: a member's file is missing or altered, or settings that this version does not have.
    """

    def __init__(
        self,
        bundle: Predictor,
        settings: OnlineSettings,
        *,
        allow_training_span: bool = False,
    ) -> None:
        attempted = f"learn on from the bundle {bundle.id}"
        if not isinstance(bundle, Bundle) or bundle.stack is not None or bundle.folder is None:
            raise ArgumentError(
                attempted,
                found="a series or a stack",
                expected="the folder of a bundle that votes",
                remedy="Name the folder of a bundle, as listed by `quorate bundle list`.",
            )
        self._bundle, self._settings = bundle, settings
        self._allow = allow_training_span
        own = {name: value for name, value in asdict(settings).items() if name != "folder"}
        self._own: dict[str, Any] = json.loads(json.dumps(own))
        self._length = timeframe_ms(bundle.manifest.timeframe)
        self._target = RECIPES[bundle.manifest.recipe].make_target(bundle.manifest.target)
        self._trained = read_members(bundle, settings.learning)
        if not self._trained:
            raise ArgumentError(
                attempted,
                found=f"the members {', '.join(bundle.members.order)}",
                expected=f"one of {', '.join(settings.learning)}",
                remedy="Add one of them to the setting online.members, or train a bundle with one.",
            )
        self._window = window_of(self._trained)
        # As many bars as are there until the next update, so that a session that continues learns from the same ones.
        self._bars = LIVE_BARS - settings.every_bars
        needed = bundle.features.warmup + self._window - 1 + self._target.horizon
        if self._bars <= needed + (settings.every_bars if self._has_networks else 0):
            raise ArgumentError(
                attempted,
                found=f"{settings.every_bars} bars between two updates, and features and windows that need {needed}",
                expected=f"fewer than {LIVE_BARS} together",
                remedy="Set online.every_bars lower.",
            )
        self._learnt = dict(self._trained)
        self._sessions: dict[str, OnnxSession] = {}
        self._current = bundle
        self._file: StateFile | None = None
        self.state: LearntState | None = None

    @property
    def id(self) -> str:
        """Of the bundle, marked."""
        return f"{self._bundle.id}{ONLINE}"

    def keep_in(self, file: StateFile, last: int | None) -> None:
        """Continue from the state in a file, and keep it there from now on.

        Args:
            file: of the challenge.
            last: open time in ms of the newest bar that was decided before; None at the beginning.

        Raises:
            DataError: the file is damaged, missing, of another challenge, of other settings or of a later bar, or its
                folder cannot be written.
            ModelError: a member in it that cannot be read.
        """
        file.require_writable()
        state = file.read()
        if last is not None:
            expected = self._update_of(last)
            if state is None or state.bar > last + self._length:
                raise DataError(
                    f"continue from what was learnt in {file.path}",
                    found="no such file" if state is None else f"the state of {format_ms(state.bar)}",
                    expected=f"the state of {format_ms(expected)}",
                    remedy="Restore it from a copy, or start a challenge of another name.",
                )
            if state.bar < expected:
                _log.warning("learning goes on from %s, since later updates could not be kept", format_ms(state.bar))
        if state is not None and state.settings != self._own:
            raise DataError(
                f"continue from what was learnt in {file.path}",
                found=f"the settings {dict(state.settings)}",
                expected=f"{self._own}",
                remedy="Set those of `online` as they were, or start a challenge of another name.",
            )
        self._file, self.state = file, state
        if state is not None:
            for name, content in state.natives.items():
                self._learnt[name] = self._trained[name].restored(content)
                self._sessions[name] = self._session(self._learnt[name])
            self._current = self._with_sessions()

    def decide(self, markets: Sequence[Candles], now: int) -> list[Signal]:
        """The signals on bars that have just closed, by what was learnt at their close or before it.

        Args:
            markets: with a candle that has just closed as the newest.
            now: time of its close in ms.
        """
        learnt = self.bundle_at((now - self._length) // self._length * self._length, markets)
        return learnt.predict_many(markets, now=now, allow_training_span=self._allow)

    def bundle_at(self, bar: int, markets: Sequence[Candles]) -> Bundle:
        """The bundle as it has learnt by the newest update at a bar or before it.

        Args:
            bar: open time in ms; not before the bar of the newest update.
            markets: closed candles up to it.

        Raises:
            DataError: an earlier bar, or the state cannot be written.
        """
        update = self._update_of(bar)
        if self.state is not None and update < self.state.bar:
            raise DataError(
                f"decide at {format_ms(bar)} by what was learnt",
                found=f"the state of {format_ms(self.state.bar)}, a later bar",
                expected=f"that of {format_ms(update)} or earlier",
                remedy="Start a challenge of another name.",
            )
        if self.state is None or self.state.bar != update:
            self._update(update, self.rows(markets, update))
        return self._current

    def rows(self, markets: Sequence[Candles], bar: int) -> MaturedRows:
        """What can be learnt from at the close of a bar; arguments as of `matured_rows`."""
        timeframe = self._bundle.manifest.timeframe
        return matured_rows(markets, bar, self._bars, self._bundle.features, self._target, timeframe)

    def _update_of(self, bar: int) -> int:
        """The newest bar at which members are updated, at or before a bar."""
        step = self._settings.every_bars * self._length
        return bar // step * step

    def _update(self, bar: int, rows: MaturedRows) -> None:
        """Let every member learn at a bar, and keep the state. A member that fails stays as it is."""
        before, settings = self.state, self._settings
        random = np.random.default_rng((self._bundle.manifest.settings["train"]["seed"], bar // self._length))
        replay, X, y = self._windows(bar, rows, random)
        counts = {"trees": 0, "windows": (0 if before is None else before.rows["windows"]) + len(y)}
        for name, trained in self._trained.items():
            try:
                if trained.is_network and len(y):
                    old = replay.drawn(len(y), random)
                    taught = *joined((X, y), old, trained.model.window), settings, int(random.integers(2**31))
                    self._learn(self._learnt[name].with_steps(*taught), X)
                elif not trained.is_network and len(rows) >= settings.least_rows:
                    table = rows.inputs.X[rows.labelled]
                    self._learn(trained.with_trees(table, rows.y, settings), table)
                    counts["trees"] = len(rows)
            except QuorateError as error:
                _log.warning("%s: %s learns nothing: %s", format_ms(bar), name, error)
        natives = {name: self._learnt[name].native for name in self._sessions}
        updates = 1 if before is None else before.updates + 1
        self.state = LearntState(bar, updates, counts, natives, replay.with_windows(X, y, random), self._own)
        self._current = self._with_sessions()
        _log.debug("%s: update %d, %s", format_ms(bar), updates, counts)
        if self._file is not None:
            try:
                self._file.write(self.state)
            except DataError as error:
                # The bar is decided by what was learnt; the next update is kept again.
                _log.error("what was learnt at %s is not kept: %s", format_ms(bar), error)

    def _windows(
        self, bar: int, rows: MaturedRows, random: np.random.Generator
    ) -> tuple[ReplayBuffer, Float32Array, ActionArray]:
        """The replay buffer before an update, and its (m, L, F) new windows with (m,) labels.

        The first update fills the buffer with the windows before its own.
        """
        columns, window = rows.inputs.X.shape[1], self._window
        if not self._has_networks:
            return ReplayBuffer.empty(0, 1, columns), np.empty((0, 1, columns), np.float32), np.empty(0, np.int8)
        after = bar - self._settings.every_bars * self._length if self.state is None else self.state.bar
        new = rows.places(window, after=after)
        if self.state is None:
            earlier = rows.places(window, until=after)
            replay = ReplayBuffer.empty(self._settings.replay_windows, window, columns)
            replay = replay.with_windows(self._inputs(rows, earlier), rows.y[earlier], random)
        else:
            replay = self.state.replay
        return replay, self._inputs(rows, new), rows.y[new]

    def _inputs(self, rows: MaturedRows, places: IntArray) -> Float32Array:
        """(m, L, F) windows of some of the rows, L of the member with the longest one."""
        found = np.asarray(rows.inputs.at(rows.labelled[places], self._window))
        return found.reshape(len(places), self._window, rows.inputs.X.shape[1])

    @property
    def _has_networks(self) -> bool:
        return any(member.is_network for member in self._trained.values())

    def _learn(self, member: OnlineMember, sample: Float32Array) -> None:
        """Use a member that has learnt, after a comparison of its graph on a sample of its rows."""
        self._sessions[member.name] = self._session(member, sample)
        self._learnt[member.name] = member

    def _session(self, member: OnlineMember, sample: Float32Array | None = None) -> OnnxSession:
        columns = len(self._bundle.features.names)
        session = OnnxSession(member.graph(), columns, member.name)
        if sample is not None:
            member.require_same_scores(session, sample)
        return session

    def _with_sessions(self) -> Bundle:
        """The bundle with the members that have learnt in place of its own."""
        made = copy(self._bundle)
        made.members = self._bundle.members.with_sessions({**self._bundle.members.sessions, **self._sessions})
        return made
