"""Document of `/models`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from quorate.ensemble.inference import Predictor
from quorate.serving.documents.document import Document


class ModelDocument(Document):
    """A member of the bundle in use."""

    model: str
    loaded: bool
    reason: str | None = Field(description="Why it is not loaded.")
    benched: str | None = Field(description="Why its vote does not count now.")
    votes: bool = Field(description="Whether it is among the members that are chosen to vote.")
    weight: float = Field(description="In the vote.")
    metrics: dict[str, Any] = Field(description="Figures of its training, on rows held out from it.")


class Models(Document):
    """The bundle in use and its members, in the order of its manifest."""

    bundle: str
    recipe: str
    timeframe: str
    mode: Literal["full", "partial", "none"]
    policy: str = Field(description="Policy that decides.")
    quorum: int = Field(description="Members that must agree, of all that vote.")
    models: list[ModelDocument]


def models_document(predictor: Predictor, now: int) -> dict[str, Any]:
    """The document of a loaded bundle, or of the newest one of a series.

    Args:
        predictor: in use.
        now: of the bench, ms.
    """
    bundle = predictor.newest
    manifest, members = bundle.manifest, bundle.members
    benched, chosen = bundle.bench.at(now), bundle.bench.membership.at(now, members.order)
    return {
        "bundle": predictor.id,
        "recipe": manifest.recipe,
        "timeframe": manifest.timeframe,
        "mode": bundle.mode_at(now),
        "policy": "stack" if bundle.stack is not None else predictor.decides,
        "quorum": bundle.quorum,
        "models": [
            {
                "model": model,
                "loaded": model in members.sessions,
                "reason": members.failures.get(model),
                "benched": benched.get(model),
                "votes": model in chosen,
                "weight": manifest.policy.weight(model),
                "metrics": manifest.metrics.get(model, {}),
            }
            for model in members.order
        ],
    }
