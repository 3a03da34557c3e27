"""Retrain the champion of a folder of bundles on the newest candles, and promote the new bundle if it passes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import TEXT, require_types
from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import ArgumentError, BundleError, MissingExtraError
from quorate.core.progress import Progress, RunEstimate, silent
from quorate.core.sections.bundle import BundleSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.evaluation.cards.write_card import attempt_card
from quorate.lifecycle.bundle_settings import bundle_settings
from quorate.lifecycle.retrain.gate import judge
from quorate.lifecycle.retrain.notice import require_address, send_notice
from quorate.lifecycle.retrain.prune import remove_superfluous
from quorate.lifecycle.retrain.result import RetrainResult
from quorate.lifecycle.retrain.run_log import STAGES, RetrainRun, RunLog, Stage
from quorate.lifecycle.retrain.run_records import begin_run, record_failure, require_champion, with_next
from quorate.lifecycle.retrain.span import closed_end, download_newest, read_span, span_start
from quorate.workflows.inputs.arguments import folder_of, require_callback, require_flags, settings_of
from quorate.workflows.inputs.market_data import require_data
from quorate.workflows.inputs.selection import Moment, moment_ms

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.ensemble.inference import Bundle
    from quorate.workflows.inputs.market_data import Data

_log = logging.getLogger(__name__)

#: Who changes the champion, in the history of the bundles.
BY = "quorate retrain"


def retrain(
    bundles: str | Path,
    data: Data,
    *,
    exchange: str | None = None,
    end: Moment | None = None,
    scheduled: bool = False,
    settings: Settings | None = None,
    clock: Callable[[], int] = now_ms,
    progress: Progress = silent,
) -> RetrainResult:
    """Train a bundle on the newest span as the champion was trained, judge it, and promote it or keep the champion.

    A run that was killed continues where it was, on the span that it began with. Whatever happens, the champion is a
    whole bundle: it changes by one atomic write, after the new bundle has passed the gate and every file of it was
    verified. What was decided and why is in the folder `retraining` beside the bundles, and goes to the webhook.

    Args:
        bundles: folder of bundles with a champion.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        exchange: download the newest candles of this exchange into the folder `data` first; ccxt's name.
        end: use no bar from here on; None for all that are closed.
        scheduled: a run of the schedule: one that was killed too often is given up, and none begins in its place.
        settings: None for those of quorate.toml and the environment. Those of the models, features, target and split
            are the champion's.
        clock: returns the current time in ms UTC.
        progress: called with each stage's name, units done and units in all.

    Raises:
        ArgumentError: `exchange` with candles that are no folder, or `end` that cannot be read.
        BundleError: no champion, or one that cannot be loaded or trained again.
        SettingsError: an invalid address of the webhook; nothing is done then.
        DataError: another run is at work, or candles that cannot be read or used.
        ExchangeError: the newest candles could not be downloaded.
        ModelError: fewer than two members could be trained.
        WorkerError: a scheduled run that was killed `retrain.attempts` times.
        QuorateError: and whatever else ends a run. The champion stays and the record says why.
    """
    settings = settings_of(settings)
    require_callback(progress=progress, clock=clock)
    require_flags(scheduled=scheduled)
    require_types("retrain a champion", exchange=(exchange, TEXT.optional))
    require_data(data)
    store = BundleStore(folder_of("bundles", bundles))
    if exchange is not None and not isinstance(data, str | Path):
        raise ArgumentError(
            "download the newest candles", found="`exchange` without a folder", expected="`data`, a folder"
        )
    until = moment_ms("end", end)
    require_address()
    log = RunLog(store.folder)
    champion = require_champion(store)
    with log.running():
        run = begin_run(log, champion, settings, clock, scheduled=scheduled)
        work = _Retraining(store, log, data, exchange, until, settings, clock, RunEstimate.of(progress))
        try:
            run = work.finish(run)
        except Exception as error:
            record_failure(log, work.run or run, error, settings, clock)
            raise
    return RetrainResult(store.folder, run)


@dataclass(slots=True)
class _Retraining:
    """The stages of a run.

    Attributes:
        run: its record as it was last written.
    """

    store: BundleStore
    log: RunLog
    data: Data
    exchange: str | None
    until: int | None
    settings: Settings
    clock: Callable[[], int]
    progress: Progress
    run: RetrainRun | None = None

    def finish(self, run: RetrainRun) -> RetrainRun:
        """Do the stages that are left, and close the record."""
        self.run = run
        if STAGES.index(run.stage) < STAGES.index("promotion"):
            judged = self._judged(run)
            if judged is None:
                found = f"no bar after the champion's training span, which ends {self._champion_end(run)}"
                return self._close(run, found)
            run = judged
        run = self._promoted(run)
        run = self._at(run, "pruning")
        try:
            removed = remove_superfluous(self.store, self.log.runs(), self.settings.retrain, BY)
        except BundleError as error:
            # The verdict stands; the next run removes them.
            return self._close(run, f"{run.reason}; old bundles stay: {error}")
        return self._close(replace(run, removed=tuple(dict.fromkeys((*run.removed, *removed)))), run.reason)

    def _judged(self, run: RetrainRun) -> RetrainRun | None:
        """Candles, training and gate; None where there is no new bar."""
        manifest = self.store.manifest(run.champion)
        own = bundle_settings(manifest, self.settings)
        run, panel = self._candles(run, manifest, own)
        span = run.span
        if span is None:
            return None
        run = self._at(run, "training")
        if run.bundle is None or run.bundle not in self.store.ids():
            run = replace(run, bundle=self._train(run, span, manifest, own, panel))
        run = self._at(run, "gate")
        if run.bundle is None or run.bundle == run.champion:
            raise BundleError(
                "judge a new bundle", found=f"the champion {run.champion} itself", expected="a bundle of newer rows"
            )
        # As configured, with the split that trained.
        settings = replace(self.settings, split=own.split)
        try:
            challenger = self._load(run.bundle)
        except BundleError as error:
            # In its place the next attempt would find the damaged files, and could not publish what it trains.
            self.store.remove(run.bundle, why=str(error), by=BY)
            raise
        found = judge(challenger, self._load(run.champion), panel, span[1], settings, self.progress)
        return self._at(replace(run, gate=found.to_json(), reason=found.reason), "promotion")

    def _candles(self, run: RetrainRun, manifest: Manifest, own: Settings) -> tuple[RetrainRun, dict[str, Candles]]:
        """The record with the span, and its candles; without a span where there is no new bar."""
        closed = closed_end(manifest, self.clock())
        end = closed if self.until is None else min(self.until, closed)
        if run.span is not None:
            end = run.span[1]  # what was trained already is of these bars
        elif self.exchange is not None and isinstance(self.data, str | Path):
            start = span_start(manifest, end, own)
            download_newest(Path(self.data), self.exchange, manifest, start, self.settings, self.progress)
        panel, span = read_span(self.data, manifest, end, own, self.progress, run.span)
        if run.span is None and span[1] <= manifest.training_end + timeframe_ms(manifest.timeframe):
            return run, {}
        return self._at(replace(run, span=span), "candles"), panel

    def _train(
        self,
        run: RetrainRun,
        span: tuple[int, int],
        manifest: Manifest,
        own: Settings,
        panel: dict[str, Candles],
    ) -> str:
        """Train as the champion was trained; the id of the bundle. An interrupted training is resumed."""
        from quorate.ensemble.training.earlier_training import EarlierTraining
        from quorate.ensemble.training.train_ensemble import train_ensemble
        from quorate.workflows.runs.training_spec import complete_spec

        spec = replace(
            complete_spec([member.model for member in manifest.members], manifest.recipe, own),
            start=span[0],
            end=span[1],
            earlier=(EarlierTraining(self.store.path(run.champion), manifest),),
        )
        trained = train_ensemble(
            panel, manifest.timeframe, spec, self.store.folder, progress=self.progress, promote=False
        )
        if failure := attempt_card(trained.path):
            _log.warning("%s", failure)
        return trained.manifest.id

    def _promoted(self, run: RetrainRun) -> RetrainRun:
        """Promote the bundle if it passed and nothing speaks against it; the record with the reason."""
        if run.bundle is None or run.gate is None or not run.gate["passed"]:
            return run
        champion = self.store.champion()
        if champion == run.bundle:  # a run that was killed has promoted it
            return run
        if champion != run.champion:
            return replace(run, reason=f"the champion is {champion} by now, which it was not judged against")
        try:
            self.store.require_trusted(run.bundle, self.settings.bundle)
        except (BundleError, MissingExtraError) as error:
            return replace(run, reason=f"passed the gate and waits for a signature: {error}")
        self.store.promote(run.bundle, why=f"run {run.number}: {run.reason}", by=BY, trust=self.settings.bundle)
        return run

    def _load(self, bundle: str) -> Bundle:
        """A bundle to be judged; whether it is signed is asked before it is promoted.

        Raises:
            BundleError: altered, or without members that can predict.
        """
        from quorate.ensemble.inference.loading import load_bundle

        self.store.verify(bundle)
        loaded = load_bundle(
            self.store.path(bundle), self.settings.predict, features=self.settings.features, trust=BundleSettings()
        )
        if loaded.mode == "none":
            failed = "; ".join(f"{model}: {why}" for model, why in loaded.members.failures.items())
            raise BundleError(
                f"judge with the bundle {bundle}", found=f"fewer than two members ({failed})", expected="two members"
            )
        return loaded

    def _champion_end(self, run: RetrainRun) -> str:
        return format_ms(self.store.manifest(run.champion).training_end)

    def _at(self, run: RetrainRun, stage: Stage) -> RetrainRun:
        """Begin a stage: the record says so before anything is done."""
        self.run = self.log.write(replace(run, stage=stage))
        return self.run

    def _close(self, run: RetrainRun, reason: str) -> RetrainRun:
        champion = self.store.champion()
        promoted = run.bundle is not None and champion == run.bundle
        run = replace(
            run,
            state="promoted" if promoted else "kept",
            stage="end",
            reason=reason,
            ended=self.clock(),
        )
        self.run = self.log.write(with_next(run, self.log, self.settings))
        send_notice(self.run, self.store.folder, self.settings.notify)
        return self.run
