"""Candles to a bundle: features and labels once, then every member on the same rows."""

from __future__ import annotations

import hashlib
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import Candles, Mode
from quorate.ensemble.cost import Stage, stage
from quorate.ensemble.fitting import Measure, fit_member
from quorate.ensemble.manifest import Manifest, Member
from quorate.ensemble.precision import lighten
from quorate.ensemble.recipes import RECIPES, Recipe, RecipeName
from quorate.ensemble.store import BundleStore
from quorate.ensemble.vote import loaded_mode
from quorate.features import feature_set
from quorate.models import Model, build
from quorate.models.registry import require_known
from quorate.targets import Dataset, build_dataset, time_split
from quorate.targets.splits import TimeSplit

# What a model's file may depend on.
_PACKAGES = (
    *("quorate", "numpy", "TA-Lib", "onnx", "onnxmltools", "onnxruntime"),
    *("xgboost", "xgboost-cpu", "lightgbm", "scikit-learn", "scipy", "torch", "onnxscript"),
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
    stop early by the second where they do, and are measured on the later two, purged at each seam. The bundle holds
    the models as measured. Interrupted and started again, the training of a network goes on where it was.

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
        dataset = build_dataset(panel, settings.train.features, target, start, end, lead=lead)
        split = time_split(dataset.time, dataset.span_end, settings.split.train, settings.split.validation)
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
                made, figures = fit_member(
                    makers[name](), dataset, split, prior, measure, _told(tell, name, number, models), unfinished / name
                )
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
    columns = feature_set(settings.train.features)
    manifest = Manifest(
        recipe=recipe,
        features=columns.name,
        feature_names=columns.names,
        feature_hash=columns.hash,
        target=settings.target,
        policy=settings.vote,
        symbols=tuple(panel),
        timeframe=timeframe,
        synthetic=any(candles.synthetic for candles in panel.values()),
        training_start=int(dataset.time.min()),
        training_end=int(dataset.span_end.max()),
        rows={
            "candles": dataset.candles,
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
            "models": {
                name: asdict(getattr(own, name))
                for own in (chosen.model_settings(settings),)
                for name in models
                if hasattr(own, name)
            },
        },
        versions=_versions(),
        files={},
    )
    with stage("publish", stages):
        path, manifest = BundleStore(out).publish(manifest, files, why="trained")
    shutil.rmtree(unfinished, ignore_errors=True)
    return Trained(path, manifest, tuple(results), tuple(stages))


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
