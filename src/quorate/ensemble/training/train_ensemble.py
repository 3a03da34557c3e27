"""Training of an ensemble, from candles to a published bundle."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from quorate.core.errors import ModelError, QuorateError
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import Candles, Mode
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.column_choice import ChooseColumns, no_choice
from quorate.ensemble.measure import (
    DescribeTraining,
    HeldOutOutcomes,
    Measure,
    MeasureAgreement,
    MeasureFloors,
    no_agreement,
    no_description,
    no_floors,
    no_metrics,
)
from quorate.ensemble.recipes import RECIPES, RecipeName
from quorate.ensemble.selection import Membership
from quorate.ensemble.stack.fit_stack import fit_stack, predict_out_of_fold
from quorate.ensemble.training.bundle_builder import BundleBuilder, MemberResult
from quorate.ensemble.training.chosen_members import choose_on_holdout
from quorate.ensemble.training.earlier_training import EarlierTraining, fingerprint, newest_start
from quorate.ensemble.training.expected_time import follow_training
from quorate.ensemble.training.fit_member import fit_member
from quorate.ensemble.training.fit_policy import FittedPolicy, fit_policy
from quorate.ensemble.training.holdout import HoldoutScores, held_out_outcomes, score_holdout, with_outcomes
from quorate.ensemble.training.move_heads import MemberHead, fit_heads, with_earlier_heads
from quorate.ensemble.training.out_of_fold import RefittedScores, score_out_of_fold
from quorate.ensemble.training.quantisation import quantise_members, stack_criteria, vote_criteria
from quorate.ensemble.training.resume import FittedMember, UnfinishedTraining
from quorate.ensemble.training.timing import Stage, stage
from quorate.ensemble.training.training_data import TrainingData, prepare_training_data
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.ensemble.voting.vote import loaded_mode
from quorate.models.byte_products import require_exact
from quorate.models.runtime import OnnxSession


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """Options of a training.

    Attributes:
        models: registered names, in the order of the manifest.
        settings: of models, target, split and vote.
        recipe: "vote" for members that score classes, "stack" for members that predict returns.
        start: open time of the first training bar, ms, inclusive; None for the first candle.
        end: exclusive, ms; None for all candles. Candles from here on are never read.
        measure: metrics of each member on the rows that it was not fitted on.
        floors: what each floor would have done, on the rows that choose the policy.
        agreement: how often members err together, on the same rows.
        describe: files of the bundle that describe its training.
        choose: chooses columns on the training part, where the feature set is "auto".
        earlier: trainings of the same members on older rows, at whose weights networks begin if their settings say so.
    """

    models: Sequence[str]
    settings: Settings
    recipe: RecipeName = "vote"
    start: int | None = None
    end: int | None = None
    measure: Measure = no_metrics
    floors: MeasureFloors = no_floors
    agreement: MeasureAgreement = no_agreement
    describe: DescribeTraining = no_description
    choose: ChooseColumns = no_choice
    earlier: Sequence[EarlierTraining] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """A published bundle and the results of its training.

    Attributes:
        start: id of the bundle at whose weights networks began; empty where all began anew.
    """

    path: Path
    manifest: Manifest
    members: tuple[MemberResult, ...]
    stages: tuple[Stage, ...]
    start: str = ""

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
    promote: bool = True,
) -> Trained:
    """Train all members on the same rows and publish the bundle.

    Members are fitted on the training part of the span (`settings.split.train` of its bars, over all symbols together)
    and measured on the validation and test parts; labels are purged between parts. For a vote the validation part has
    three slices, the first of them for early stopping. Members are fitted again on expanding folds of the rows before
    the test part; their scores there, and the later two slices, give the calibration and the policy. The bundle holds
    the models as measured. An interrupted training is resumed: finished members are not trained again, and networks
    continue from their checkpoints.

    Args:
        panel: symbol -> candles; those before `spec.start` are only used to warm up features.
        timeframe: of the candles.
        spec: options of the training.
        out: folder of bundles.
        progress: called with the member's name, steps done and steps in all.
        stages: earlier stages, such as reading candles; those of the training are appended.
        promote: make the bundle champion if its folder has none and `settings.bundle.trusted_keys` allows it.

    Raises:
        ModelError: a name is unknown or repeated, fewer than two members (or the only one) could be trained, or 8 bits
            are set on a processor whose sums of 8-bit products are not exact.
        DataError: no row has all features and a label; `out` cannot be written; or the same training is running.
    """
    stages, settings = [] if stages is None else stages, spec.settings
    if settings.train.precision == "int8":
        require_exact("train for 8 bits")  # before hours of training
    with stage("features and labels", stages):
        data = prepare_training_data(
            panel, RECIPES[spec.recipe], spec.models, settings, spec.start, spec.end, spec.choose, progress
        )
    progress = follow_training(progress, data)
    start = newest_start(spec.earlier, data)
    unfinished = UnfinishedTraining(out, fingerprint(data, start))
    with unfinished.running():
        refitted = RefittedScores.none()
        if data.classes:
            with stage("out of fold", stages):
                refitted = score_out_of_fold(
                    data.makers,
                    data.dataset,
                    lambda model, rows: data.dataset.read(rows, model.window),
                    data.before_choice,
                    data.settings,
                    data.embargo_ms,
                    progress,
                )
        builder = _fit_members(data, refitted, unfinished, spec.measure, progress, stages, start)
        held_out = None
        if data.classes:
            held_out = _calibrate(builder, data, refitted, panel, spec, stages)
        else:
            _stack(builder, data, spec.measure, progress, stages)
        dataset, train = data.dataset, data.split.train
        builder.files |= spec.describe(data.features.names, dataset.X[train], dataset.time[train], held_out)
        candles = sum(len(each.between(spec.start, spec.end)) for each in panel.values())
        manifest = builder.manifest(data, panel, timeframe, candles)
        if start is not None:
            manifest = replace(manifest, settings={**manifest.settings, "start": start.manifest.id})
        with stage("publish", stages):
            path, manifest = BundleStore(out).publish(
                manifest, builder.files, why="trained", promote=promote, trust=settings.bundle
            )
        unfinished.remove()
    began_at = "" if start is None else start.manifest.id
    return Trained(path, manifest, tuple(builder.results), tuple(stages), began_at)


def _fit_members(
    data: TrainingData,
    refitted: RefittedScores,
    unfinished: UnfinishedTraining,
    measure: Measure,
    progress: Progress,
    stages: list[Stage],
    start: EarlierTraining | None,
) -> BundleBuilder:
    """Train the members one after another. A member that fails does not stop the others; its result says why."""
    builder, heads = BundleBuilder(), fit_heads(refitted, data.dataset)
    for number, (name, make) in enumerate(data.makers.items(), 1):
        began, title = time.perf_counter(), f"{name} ({number}/{len(data.makers)})"
        fitted = unfinished.finished(name)
        earlier = fitted is not None
        try:
            with stage(name, stages):
                if fitted is None:
                    files, figures, direction = fit_member(
                        make(),
                        data.dataset,
                        data.split,
                        data.prior,
                        measure,
                        lambda done, total, title=title: progress(title, done, total),  # type: ignore[misc]
                        unfinished.checkpoint(name),
                        data.stop,
                        MemberHead(heads.get(name), data.slices.calibrate) if data.headed else None,
                        None if start is None else start.model(name, make),
                    )
                    shrunk = None if direction is None else direction.to_json()
                    fitted = FittedMember(files, figures, time.perf_counter() - began, shrunk)
                    unfinished.save(name, fitted)
        except QuorateError as error:
            builder.add_failed(name, time.perf_counter() - began, str(error))
            continue
        builder.add(name, fitted, earlier=earlier)
    if loaded_mode(sum(result.ok for result in builder.results), len(builder.results)) == "none":
        unfinished.remove()  # resuming would fail again
        raise ModelError(
            "train the ensemble",
            found="; ".join(f"{result.model}: {result.failure}" for result in builder.results if not result.ok),
            expected="at least two members",
        )
    builder.metrics = {result.model: result.metrics for result in builder.results if result.ok}
    return builder


def _calibrate(
    builder: BundleBuilder,
    data: TrainingData,
    refitted: RefittedScores,
    panel: Mapping[str, Candles],
    spec: TrainingSpec,
    stages: list[Stage],
) -> HeldOutOutcomes:
    """Complete a vote: fit the calibration and the policy, and quantise members if 8 bits are set.

    Returns:
        Outcomes of the rows out of fold and of the choosing slice. Those of the test part are left to whoever measures
        or watches the bundle.
    """
    settings = data.settings
    with stage("probabilities", stages):
        headed = with_earlier_heads(refitted, data.dataset) if data.headed else refitted
        trained = {name: table for name, table in headed.scores.items() if name in builder.graphs}
        scores = with_outcomes(trained, panel, data.dataset, refitted.rows)
        fitted, choosing = _fit_policy(builder, data, panel, scores, refitted.left_out)
    if settings.train.precision == "int8":
        with stage("int8", stages):
            policies: dict[str, AnyPolicy] = {"classic": settings.vote, CONSENSUS: ConsensusPolicy(settings.vote)}
            if fitted.calibration.policy is not None:
                policies["calibrated"] = fitted.calibration.policy
            criteria = partial(vote_criteria, policies, len(builder.members), maps=fitted.calibration.members)
            comparison = quantise_members(data.dataset, data.split, builder.members, builder.files, criteria)
            builder.metrics["int8"] = comparison.to_json()
            if comparison.kept:  # probabilities are those of the graphs that are run
                fitted, choosing = _fit_policy(builder, data, panel, scores, refitted.left_out)
    calibrated = fitted.calibration.frame(choosing.scores)
    found = spec.floors(
        choosing.voting,
        calibrated,
        choosing.volatility,
        choosing.time,
        choosing.forward_return,
        Membership(settings.select.size).count([member.model for member in builder.members]),
    )
    if found:
        builder.metrics["floors"] = found
    together = spec.agreement(choosing.y, choosing.scores, choosing.time)
    if together:
        builder.metrics["agreement"] = together
    builder.files[CALIBRATION] = fitted.calibration.content()
    builder.metrics["probabilities"] = {**fitted.report, "direction": builder.directions}
    builder.decides, builder.correlation = fitted.policy, fitted.correlation
    return held_out_outcomes(fitted.calibration, settings.vote, data.prior, scores, choosing)


def _fit_policy(
    builder: BundleBuilder,
    data: TrainingData,
    panel: Mapping[str, Candles],
    out_of_fold: HoldoutScores,
    left_out: Mapping[str, str],
) -> tuple[FittedPolicy, HoldoutScores]:
    """Calibration and policy, and the scores of the bundle's members on the choosing slice."""
    dataset = data.dataset
    columns = dataset.inputs.X.shape[1]
    sessions = {model: OnnxSession(graph, columns, model) for model, graph in builder.graphs.items()}
    slices = (data.slices.calibrate, data.slices.choose)
    earlier, later = (score_holdout(sessions, panel, dataset, rows) for rows in slices)
    earlier, later, chosen = choose_on_holdout(earlier, later, out_of_fold, data.settings)
    count = Membership(data.settings.select.size).count([member.model for member in builder.members])
    return fit_policy(earlier, later, data.settings, count, chosen, left_out), later


def _stack(
    builder: BundleBuilder, data: TrainingData, measure: Measure, progress: Progress, stages: list[Stage]
) -> None:
    """Complete a stack: fit the members out of fold, then the combiner, and quantise members if 8 bits are set."""
    dataset, split, settings = data.dataset, data.split, data.settings
    with stage("stack", stages):
        trained = {name: data.makers[name] for name in builder.graphs}
        out_of_fold = predict_out_of_fold(trained, dataset, split, settings, data.target.horizon, progress)
        stacked = fit_stack(out_of_fold, builder.graphs, dataset, split, settings, measure)
    builder.mark_failed(stacked.failures)  # they have no weight
    bits: dict[str, Any] = {}
    if settings.train.precision == "int8":
        with stage("int8", stages):
            criteria = partial(stack_criteria, stacked.stack)
            comparison = quantise_members(dataset, split, builder.members, builder.files, criteria)
            bits["int8"] = comparison.to_json()
            if comparison.kept:  # figures are those of the graphs that are run
                stacked = fit_stack(out_of_fold, builder.graphs, dataset, split, settings, measure)
    builder.files |= stacked.files
    builder.set_metrics(stacked.figures)  # on the rows that all members could predict
    builder.metrics, builder.stack = stacked.figures | bits, stacked.about
