"""Candles to a bundle: features and labels once, then every member on the same rows, then what is made of them all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from quorate.core.errors import ModelError, QuorateError
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import Candles, Mode
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.measure import Measure, no_metrics
from quorate.ensemble.recipes import RECIPES, RecipeName
from quorate.ensemble.stack.fit_stack import fit_stack, predict_out_of_fold
from quorate.ensemble.training import training_data
from quorate.ensemble.training.bundle_builder import BundleBuilder, MemberResult
from quorate.ensemble.training.fit_member import fit_member
from quorate.ensemble.training.fit_policy import FittedPolicy, learn
from quorate.ensemble.training.holdout import ask
from quorate.ensemble.training.quantisation import lighten, of_stack, of_votes
from quorate.ensemble.training.resume import FittedMember, UnfinishedTraining
from quorate.ensemble.training.timing import Stage, stage
from quorate.ensemble.training.training_data import TrainingData
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.vote import loaded_mode
from quorate.models.byte_products import require_exact
from quorate.models.runtime import OnnxSession


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """What is trained, and on which span.

    Attributes:
        models: registered names, in the order of the manifest.
        settings: of models, target, split and vote.
        recipe: "vote" for members that score classes, "stack" for members that predict returns.
        start: first bar that may train, ms, inclusive; None for the first there is.
        end: exclusive; None for all candles. Candles from here on are never read.
        measure: metrics of each member on the rows that it was not fitted on.
    """

    models: Sequence[str]
    settings: Settings
    recipe: RecipeName = "vote"
    start: int | None = None
    end: int | None = None
    measure: Measure = no_metrics


@dataclass(frozen=True, slots=True)
class Trained:
    """A published bundle and how it came to be."""

    path: Path
    manifest: Manifest
    members: tuple[MemberResult, ...]
    stages: tuple[Stage, ...]

    @property
    def mode(self) -> Mode:
        """How many members were trained: full, partial (at least 2) or none."""
        return loaded_mode(sum(member.ok for member in self.members), len(self.members))


def train_ensemble(
    panel: Mapping[str, Candles],
    timeframe: str,
    spec: TrainingSpec,
    out: Path,
    *,
    progress: Progress = silent,
    stages: list[Stage] | None = None,
) -> Trained:
    """Train every model on the same rows and publish the bundle, as champion if it is the first of its folder.

    Members are fitted on the first part of the span (`settings.split.train` of its bars, over all symbols together),
    and measured on the later two, purged at each seam. The second is cut in three: by the first slice members stop
    early where they do, on the second a vote's scores become probabilities, on the third its policy is chosen. The
    bundle holds the models as measured. A training that was interrupted is resumed: finished members are not trained
    again, and a network continues from its checkpoint.

    Args:
        panel: symbol -> candles; those before `spec.start` only warm the features.
        timeframe: of all of them.
        spec: what is trained, and on which span.
        out: folder of bundles.
        progress: called with the member's name, steps done and steps in all.
        stages: cost of earlier stages, such as reading candles; those of the training are appended.

    Raises:
        ModelError: an unknown or doubled name, fewer than two members (or the only one) could be trained, or 8 bits are
            wanted of a processor that adds up their products wrongly.
        DataError: no row has every feature and a label.
    """
    stages, settings = [] if stages is None else stages, spec.settings
    if settings.train.precision == "int8":
        require_exact("train for 8 bits")  # before hours of training
    with stage("features and labels", stages):
        ground = training_data.lay(panel, RECIPES[spec.recipe], spec.models, settings, spec.start, spec.end)
    unfinished = UnfinishedTraining(out, ground.fingerprint())
    draft = _fit_members(ground, unfinished, spec.measure, progress, stages)
    if ground.classes:
        _judge(draft, ground, panel, stages)
    else:
        _stack(draft, ground, spec.measure, progress, stages)
    candles = sum(len(each.between(spec.start, spec.end)) for each in panel.values())
    manifest = draft.manifest(ground, panel, timeframe, candles)
    with stage("publish", stages):
        path, manifest = BundleStore(out).publish(manifest, draft.files, why="trained")
    unfinished.remove()
    return Trained(path, manifest, tuple(draft.results), tuple(stages))


def _fit_members(
    ground: TrainingData, unfinished: UnfinishedTraining, measure: Measure, progress: Progress, stages: list[Stage]
) -> BundleBuilder:
    """Every member, one after the other. One that fails does not lose the others; the summary says why."""
    draft = BundleBuilder()
    for number, (name, make) in enumerate(ground.makers.items(), 1):
        began, title = time.perf_counter(), f"{name} ({number}/{len(ground.makers)})"
        fitted = unfinished.finished(name)
        earlier = fitted is not None
        try:
            with stage(name, stages):
                if fitted is None:
                    files, figures = fit_member(
                        make(),
                        ground.dataset,
                        ground.split,
                        ground.prior,
                        measure,
                        lambda done, total, title=title: progress(title, done, total),  # type: ignore[misc]
                        unfinished.checkpoint(name),
                        ground.stop,
                    )
                    fitted = FittedMember(files, figures, time.perf_counter() - began)
                    unfinished.keep(name, fitted)
        except QuorateError as error:
            draft.lose(name, time.perf_counter() - began, str(error))
            continue
        draft.add(name, fitted, earlier=earlier)
    if loaded_mode(sum(result.ok for result in draft.results), len(draft.results)) == "none":
        unfinished.remove()  # it would go no better another time
        raise ModelError(
            "train the ensemble",
            found="; ".join(f"{result.model}: {result.failure}" for result in draft.results if not result.ok),
            expected="at least two members",
        )
    draft.metrics = {result.model: result.metrics for result in draft.results if result.ok}
    return draft


def _judge(draft: BundleBuilder, ground: TrainingData, panel: Mapping[str, Candles], stages: list[Stage]) -> None:
    """A vote: scores to probabilities and the policy that decides; and fewer bits where they change nothing."""
    settings = ground.settings
    with stage("probabilities", stages):
        judged = _learn(draft, ground, panel)
    if settings.train.precision == "int8":
        with stage("int8", stages):
            policies: dict[str, VoteSettings | CalibratedPolicy] = {"classic": settings.vote}
            if judged.calibration.policy is not None:
                policies["calibrated"] = judged.calibration.policy
            standard = partial(of_votes, policies, len(draft.members))
            found = lighten(ground.dataset, ground.split, draft.members, draft.files, standard)
            draft.metrics["int8"] = found.to_json()
            if found.kept:  # what is served is what its probabilities are fitted to
                judged = _learn(draft, ground, panel)
    draft.files[CALIBRATION] = judged.calibration.content()
    draft.metrics["probabilities"], draft.decides = judged.report, judged.policy


def _learn(draft: BundleBuilder, ground: TrainingData, panel: Mapping[str, Candles]) -> FittedPolicy:
    dataset = ground.dataset
    columns = dataset.inputs.X.shape[1]
    sessions = {model: OnnxSession(graph, columns, model) for model, graph in draft.graphs.items()}
    slices = (ground.slices.calibrate, ground.slices.choose)
    earlier, later = (ask(sessions, panel, dataset, rows) for rows in slices)
    return learn(earlier, later, ground.settings, len(draft.members))


def _stack(
    draft: BundleBuilder, ground: TrainingData, measure: Measure, progress: Progress, stages: list[Stage]
) -> None:
    """A stack: the members once more out of fold, and what combines them."""
    dataset, split, settings = ground.dataset, ground.split, ground.settings
    with stage("stack", stages):
        able = {name: ground.makers[name] for name in draft.graphs}
        seen = predict_out_of_fold(able, dataset, split, settings, ground.target.horizon, progress)
        stacked = fit_stack(seen, draft.graphs, dataset, split, settings, measure)
    draft.drop(stacked.failures)  # no weight is known for them
    bits: dict[str, Any] = {}
    if settings.train.precision == "int8":
        with stage("int8", stages):
            found = lighten(dataset, split, draft.members, draft.files, partial(of_stack, stacked.stack))
            bits["int8"] = found.to_json()
            if found.kept:  # the figures are of what is served
                stacked = fit_stack(seen, draft.graphs, dataset, split, settings, measure)
    draft.files |= stacked.files
    draft.measure(stacked.figures)  # on the rows that all members have
    draft.metrics, draft.stack = stacked.figures | bits, stacked.about
