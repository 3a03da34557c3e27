"""Builder of a bundle: collects members, files and metrics during training, and makes the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from quorate.core.settings import StackSettings, TrainSettings
from quorate.core.types import Candles, Policy
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.training.resume import FittedMember
from quorate.ensemble.training.training_data import TrainingData
from quorate.models.pretraining import Pretraining


@dataclass(frozen=True, slots=True)
class MemberResult:
    """Result of one member's training.

    Attributes:
        earlier: whether an interrupted earlier run trained it; `seconds` is then the time of that run.
    """

    model: str
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None
    earlier: bool = False

    @property
    def ok(self) -> bool:
        """Whether the member was trained."""
        return self.failure is None


@dataclass(slots=True)
class BundleBuilder:
    """Contents of a bundle during training.

    Attributes:
        members: in the order of the manifest, including those that failed.
        results: of each member's training, in the same order.
        files: name -> content, of all files of the bundle.
        metrics: of the members, the calibration and the quantisation.
        decides: the policy in force.
        correlation: of the members' errors, by pair; empty for a stack.
        stack: entry "stack" of the manifest; empty for a vote.
        directions: member -> how the factor of its move head was fitted; empty without heads.
    """

    members: list[Member] = field(default_factory=list)
    results: list[MemberResult] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    decides: Policy = "classic"
    correlation: Mapping[str, float] = field(default_factory=dict)
    stack: Mapping[str, Any] = field(default_factory=dict)
    directions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def graphs(self) -> dict[str, bytes]:
        """Member -> its ONNX graph, for members that were trained."""
        return {member.model: self.files[member.graph] for member in self.members if member.graph is not None}

    def add(self, model: str, fitted: FittedMember, *, earlier: bool) -> None:
        """Add a member that was trained."""
        native, graph = fitted.files
        self.files |= fitted.files
        self.members.append(Member(model, native, graph))
        self.results.append(MemberResult(model, fitted.seconds, fitted.metrics, earlier=earlier))
        if fitted.direction is not None:
            self.directions[model] = fitted.direction

    def add_failed(self, model: str, seconds: float, failure: str) -> None:
        """Add a member that could not be trained."""
        self.members.append(Member(model, failure=failure))
        self.results.append(MemberResult(model, seconds, failure=failure))

    def mark_failed(self, failures: Mapping[str, str]) -> None:
        """Mark members as failed and remove their files.

        Args:
            failures: member -> why.
        """
        for place, (member, result) in enumerate(zip(self.members, self.results, strict=True)):
            if member.model not in failures:
                continue
            for name in filter(None, (member.native, member.graph)):
                del self.files[name]
            failure = failures[member.model]
            self.members[place] = Member(member.model, failure=failure)
            self.results[place] = replace(result, metrics={}, failure=failure)

    def set_metrics(self, figures: Mapping[str, Any]) -> None:
        """Replace the metrics of the members that were trained."""
        self.results = [
            replace(result, metrics=figures[result.model]) if result.ok else result for result in self.results
        ]

    def manifest(self, data: TrainingData, panel: Mapping[str, Candles], timeframe: str, candles: int) -> Manifest:
        """Make the manifest, without `files` and `id`.

        Args:
            data: that the members were trained on.
            panel: symbol -> candles.
            timeframe: of the candles.
            candles: number of candles in the training span.
        """
        settings, dataset, split = data.settings, data.dataset, data.split
        return Manifest(
            recipe=data.recipe.name,
            features=data.features.name,
            feature_names=data.features.names,
            feature_hash=data.features.hash,
            own_columns=data.features.own,
            target=settings.target,
            policy=replace(settings.vote, correlation=self.correlation),
            decides=self.decides,
            symbols=tuple(panel),
            timeframe=timeframe,
            synthetic=any(each.synthetic for each in panel.values()),
            training_start=int(dataset.time.min()),
            training_end=int(dataset.span_end.max()),
            fitted_until=data.fitted_until,
            used_until=data.used_until,
            rows={
                "candles": candles,
                "labelled": len(dataset.y),
                "train": len(split.train),
                "validation": len(split.validation),
                "test": len(split.test),
            },
            class_prior=tuple(data.prior.tolist()) if data.classes else (),
            members=tuple(self.members),
            metrics={**self.metrics, **({} if data.choice is None else {"features": dict(data.choice.figures)})},
            settings={
                "train": _train_settings(settings.train),
                "split": asdict(settings.split),
                **({"select": asdict(settings.select)} if settings.select.size and data.classes else {}),
                **({} if data.choice is None else {"auto_features": asdict(settings.auto_features)}),
                **({} if data.classes else {"stack": _stack_settings(settings.stack)}),
                "models": _model_settings(data),
            },
            versions=data.versions(),
            files={},
            stack=self.stack,
            pretrained=self._pretrained(data),
        )

    def _pretrained(self, data: TrainingData) -> dict[str, Pretraining]:
        """Member -> its pretrained weights, of the members that were trained."""
        found = {result.model: data.makers[result.model]().pretraining for result in self.results if result.ok}
        return {name: each for name, each in found.items() if each is not None}


def _train_settings(settings: TrainSettings) -> dict[str, Any]:
    """Without the number of workers, on which nothing in a bundle depends."""
    return {key: value for key, value in asdict(settings).items() if key != "workers"}


def _stack_settings(settings: StackSettings) -> dict[str, Any]:
    return {key: value for key, value in asdict(settings).items() if key != "models"}


def _model_settings(data: TrainingData) -> dict[str, Any]:
    """Settings of every member that has a section of its own."""
    return data.recipe.model_settings(data.settings).to_json(data.makers)
