"""Candles to a bundle: features and labels once, then every member on the same rows."""

from __future__ import annotations

import hashlib
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings, StackSettings
from quorate.core.types import Candles, Mode, Policy
from quorate.ensemble.calibration import FILE_NAME as CALIBRATION
from quorate.ensemble.cost import Stage, stage
from quorate.ensemble.evidence import ask
from quorate.ensemble.fitting import Measure, fit_member
from quorate.ensemble.judgement import learn
from quorate.ensemble.manifest import Manifest, Member
from quorate.ensemble.precision import lighten
from quorate.ensemble.recipes import RECIPES, Recipe, RecipeName
from quorate.ensemble.stack.fitting import FittedStack, fit_stack, predict_out_of_fold
from quorate.ensemble.store import BundleStore
from quorate.ensemble.vote import loaded_mode
from quorate.features import feature_set
from quorate.models import Model, build
from quorate.models.registry import require_known
from quorate.models.runtime import Session
from quorate.targets import Dataset, build_dataset, time_split, validation_slices
from quorate.targets.splits import TimeSplit

# What a model's file may depend on.
_PACKAGES = (
    *("quorate", "numpy", "TA-Lib", "onnx", "onnxmltools", "onnxruntime"),
    *("xgboost", "xgboost-cpu", "lightgbm", "scikit-learn", "scipy", "torch"),
)

# Where the training of networks keeps its checkpoints, beside the bundles.
UNFINISHED = ".unfinished"

# (what is going on, steps done, steps in all)
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class MemberResult:
    """How one member's training went."""

    model: str
    ok: bool
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None


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


def train(
    panel: Mapping[str, Candles],
    timeframe: str,
    *,
    models: Sequence[str],
    settings: Settings,
    out: Path,
    measure: Measure,
    recipe: RecipeName = "vote",
    start: int | None = None,
    end: int | None = None,
    tell: Tell = lambda *_: None,
    stages: list[Stage] | None = None,
) -> Trained:
    """Train every model on the same rows and publish the bundle, as champion if it is the first of its folder.

    Members are fitted on the first part of the span (`settings.split.train` of its bars, over all symbols together),
    and measured on the later two, purged at each seam. The second is cut in three: by the first slice members stop
    early where they do, on the second a vote's scores become probabilities, on the third its policy is chosen. The
    bundle holds the models as measured. Interrupted and started again, the training of a network goes on where it was.

    Args:
        panel: symbol -> candles; those before `start` only warm the features.
        timeframe: of all of them.
        models: registered names, in the order of the manifest.
        settings: of models, target, split and vote.
        out: folder of bundles.
        measure: figures of scores on rows.
        recipe: what the members learn: classes to vote on, or returns to be stacked.
        start: first bar that may train, ms, inclusive; None for the first there is.
        end: exclusive; candles from here on are never looked at.
        tell: progress.
        stages: what went before, such as reading candles; this adds its own.

    Raises:
        ModelError: an unknown or doubled name, or fewer than two members (or the only one) could be trained.
        DataError: no row has every feature and a label.
    """
    _require_models(models)
    stages = [] if stages is None else stages
    chosen = RECIPES[recipe]
    makers = {name: _maker(name, chosen, settings) for name in models}
    with stage("features and labels", stages):
        lead = max(map(_window, makers.values())) - 1
        target = chosen.make_target(settings.target)
        features, first = feature_set(chosen.features(settings)), chosen.first_bar(panel, start, settings)
        dataset = build_dataset(panel, features.name, target, first, end, lead=lead)
        split = time_split(dataset.time, dataset.span_end, settings.split.train, settings.split.validation)
        slices = validation_slices(dataset.time, dataset.span_end, split.validation, settings.split)
    stop = slices.stop if chosen.task == "class" else None
    learned = dataset.y[split.train]
    prior = np.bincount(learned, minlength=3) / len(learned) if chosen.task == "class" else learned.mean(keepdims=True)
    unfinished = out / UNFINISHED / _fingerprint(dataset, split, settings)
    files: dict[str, bytes] = {}
    members: list[Member] = []
    results: list[MemberResult] = []
    for number, name in enumerate(models, 1):
        began = time.perf_counter()
        try:
            with stage(name, stages):
                told, kept = _told(tell, name, number, models), unfinished / name
                made, figures = fit_member(makers[name](), dataset, split, prior, measure, told, kept, stop)
        except QuorateError as error:
            # One member that fails does not lose the others; the summary says why.
            members.append(Member(name, failure=str(error)))
            results.append(MemberResult(name, ok=False, seconds=time.perf_counter() - began, failure=str(error)))
            continue
        files |= made
        native, graph = made
        members.append(Member(name, native, graph))
        results.append(MemberResult(name, ok=True, seconds=time.perf_counter() - began, metrics=figures))
    if loaded_mode(sum(result.ok for result in results), len(results)) == "none":
        raise ModelError(
            "train the ensemble",
            found="; ".join(f"{result.model}: {result.failure}" for result in results if not result.ok),
            expected="at least two members",
        )
    metrics: dict[str, Any] = {result.model: result.metrics for result in results if result.ok}
    if settings.train.precision == "int8" and chosen.task == "class":
        with stage("int8", stages):
            fewer = lighten(dataset, split, members, files, settings.vote)
        metrics["int8"] = fewer
    decides: Policy = "classic"
    if chosen.task == "class":
        with stage("probabilities", stages):
            columns = dataset.inputs.X.shape[1]
            sessions = {m.model: Session(files[m.graph], columns, m.model) for m in members if m.graph is not None}
            earlier, later = (ask(sessions, panel, dataset, rows) for rows in (slices.calibrate, slices.choose))
            judged = learn(earlier, later, settings, len(members))
        files[CALIBRATION] = judged.calibration.content()
        metrics["probabilities"], decides = judged.report, judged.policy
    described: Mapping[str, Any] = {}
    if chosen.task == "return":
        served = {member.model: files[member.graph] for member in members if member.graph is not None}
        with stage("stack", stages):
            able = {name: makers[name] for name in served}
            seen = predict_out_of_fold(able, dataset, split, settings, target.horizon, tell)
            stacked = fit_stack(seen, served, dataset, split, settings, measure)
        files |= stacked.files
        members = [_without(member, stacked.failures, files) for member in members]
        results = [_beside(result, stacked) for result in results]
        metrics, described = stacked.figures, stacked.about
    manifest = Manifest(
        recipe=recipe,
        features=features.name,
        feature_names=features.names,
        feature_hash=features.hash,
        target=settings.target,
        policy=settings.vote,
        decides=decides,
        symbols=tuple(panel),
        timeframe=timeframe,
        synthetic=any(candles.synthetic for candles in panel.values()),
        training_start=int(dataset.time.min()),
        training_end=int(dataset.span_end.max()),
        rows={
            "candles": sum(len(candles.between(start, end)) for candles in panel.values()),
            "labelled": len(dataset.y),
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
        class_prior=tuple(prior.tolist()) if chosen.task == "class" else (),
        members=tuple(members),
        metrics=metrics,
        settings={
            "train": asdict(settings.train),
            "split": asdict(settings.split),
            **({"stack": _combining(settings.stack)} if chosen.task == "return" else {}),
            "models": {
                name: asdict(getattr(own, name))
                for own in (chosen.model_settings(settings),)
                for name in models
                if hasattr(own, name)
            },
        },
        versions=_versions(),
        files={},
        stack=described,
    )
    with stage("publish", stages):
        path, manifest = BundleStore(out).publish(manifest, files, why="trained")
    shutil.rmtree(unfinished, ignore_errors=True)
    return Trained(path, manifest, tuple(results), tuple(stages))


def _without(member: Member, failures: Mapping[str, str], files: dict[str, bytes]) -> Member:
    """The member as it is, or without its files where it failed out of fold: the stack knows no weight for it."""
    if member.model not in failures:
        return member
    for name in (member.native, member.graph):
        files.pop(name or "", None)
    return Member(member.model, failure=failures[member.model])


def _beside(result: MemberResult, stacked: FittedStack) -> MemberResult:
    """The result with figures on the rows that all members have; who failed out of fold has failed."""
    if result.model in stacked.failures:
        return replace(result, ok=False, metrics={}, failure=stacked.failures[result.model])
    return replace(result, metrics=stacked.figures[result.model]) if result.ok else result


def _combining(settings: StackSettings) -> dict[str, Any]:
    return {key: value for key, value in asdict(settings).items() if key != "models"}


def _maker(name: str, recipe: Recipe, settings: Settings) -> Callable[[], Model]:
    return partial(
        build,
        name,
        recipe.task,
        recipe.model_settings(settings),
        seed=settings.train.seed,
        threads=settings.train.threads,
    )


def _window(make: Callable[[], Model]) -> int:
    try:
        return make().window
    except QuorateError:
        return 1  # it fails again in its turn, and the summary says why


def _fingerprint(dataset: Dataset, split: TimeSplit, settings: Settings) -> str:
    """Of all that a training depends on: an interrupted one goes on only where nothing has changed."""
    digest = hashlib.sha256(repr((dataset.symbols, dataset.features, settings)).encode())
    for array in (dataset.inputs.X, dataset.y, dataset.row, split.train, split.validation):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _require_models(models: Sequence[str]) -> None:
    for name in models:
        require_known(name)
    if not models or len(set(models)) < len(models):
        raise ModelError("train the ensemble", found=f"models {', '.join(models) or 'none'}", expected="each once")


def _told(tell: Tell, name: str, number: int, models: Sequence[str]) -> Callable[[int, int], None]:
    return lambda done, total: tell(f"{name} ({number}/{len(models)})", done, total)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # xgboost comes under two names
            found[package] = version(package)
    return found
