"""A bundle in the making: members as they come in, trained or not, and what its manifest will say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from quorate.core.settings import StackSettings
from quorate.core.types import Candles, Policy
from quorate.core.version import versions
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.training.resume import FittedMember
from quorate.ensemble.training.training_data import TrainingData


@dataclass(frozen=True, slots=True)
class MemberResult:
    """How one member's training went.

    Attributes:
        earlier: it was finished by an earlier run that was interrupted; `seconds` are what it took then.
    """

    model: str
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None
    earlier: bool = False

    @property
    def ok(self) -> bool:
        """Whether it could be trained."""
        return self.failure is None


@dataclass(slots=True)
class BundleBuilder:
    """What a bundle is going to be: its members as they come in, and what is made of them all.

    Attributes:
        members: in the order of the manifest, those that failed among them.
        results: how each one's training went, in the same order.
        files: name -> content, of everything the bundle is going to hold.
        metrics: of members that were trained, and of what came after.
        decides: the policy that decides.
        stack: what the manifest says of what combines the members; empty for a vote.
    """

    members: list[Member] = field(default_factory=list)
    results: list[MemberResult] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    decides: Policy = "classic"
    stack: Mapping[str, Any] = field(default_factory=dict)

    @property
    def graphs(self) -> dict[str, bytes]:
        """Member -> its graph, for those that could be trained."""
        return {member.model: self.files[member.graph] for member in self.members if member.graph is not None}

    def add(self, model: str, fitted: FittedMember, *, earlier: bool) -> None:
        """A member that was trained."""
        native, graph = fitted.files
        self.files |= fitted.files
        self.members.append(Member(model, native, graph))
        self.results.append(MemberResult(model, fitted.seconds, fitted.metrics, earlier=earlier))

    def lose(self, model: str, seconds: float, failure: str) -> None:
        """A member that could not be trained."""
        self.members.append(Member(model, failure=failure))
        self.results.append(MemberResult(model, seconds, failure=failure))

    def drop(self, failures: Mapping[str, str]) -> None:
        """Members that failed after all, and their files.

        Args:
            failures: member -> why.
        """
        for place, (member, result) in enumerate(zip(self.members, self.results, strict=True)):
            if member.model not in failures:
                continue
            for name in filter(None, (member.native, member.graph)):
                del self.files[name]
            why = failures[member.model]
            self.members[place] = Member(member.model, failure=why)
            self.results[place] = replace(result, metrics={}, failure=why)

    def measure(self, figures: Mapping[str, Any]) -> None:
        """Other figures for the members that were trained, by name."""
        self.results = [
            replace(result, metrics=figures[result.model]) if result.ok else result for result in self.results
        ]

    def manifest(self, ground: TrainingData, panel: Mapping[str, Candles], timeframe: str, candles: int) -> Manifest:
        """What is written down of it.

        Args:
            ground: what the members were trained on.
            panel: symbol -> candles.
            timeframe: of all of them.
            candles: how many of them lie in the span.
        """
        settings, dataset, split = ground.settings, ground.dataset, ground.split
        return Manifest(
            recipe=ground.recipe.name,
            features=ground.features.name,
            feature_names=ground.features.names,
            feature_hash=ground.features.hash,
            own_columns=ground.features.own,
            target=settings.target,
            policy=settings.vote,
            decides=self.decides,
            symbols=tuple(panel),
            timeframe=timeframe,
            synthetic=any(each.synthetic for each in panel.values()),
            training_start=int(dataset.time.min()),
            training_end=int(dataset.span_end.max()),
            rows={
                "candles": candles,
                "labelled": len(dataset.y),
                "train": len(split.train),
                "validation": len(split.validation),
                "test": len(split.test),
            },
            class_prior=tuple(ground.prior.tolist()) if ground.classes else (),
            members=tuple(self.members),
            metrics=self.metrics,
            settings={
                "train": asdict(settings.train),
                "split": asdict(settings.split),
                **({} if ground.classes else {"stack": _combining(settings.stack)}),
                "models": _model_settings(ground),
            },
            versions=versions(),
            files={},
            stack=self.stack,
        )


def _combining(settings: StackSettings) -> dict[str, Any]:
    return {key: value for key, value in asdict(settings).items() if key != "models"}


def _model_settings(ground: TrainingData) -> dict[str, Any]:
    """Of every member that has a section of its own."""
    return ground.recipe.model_settings(ground.settings).to_json(ground.makers)
