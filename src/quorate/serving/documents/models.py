"""Document of `/models`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from quorate.ensemble.inference import Predictor
from quorate.ensemble.inference.bench import mode_without
from quorate.serving.documents.document import Document


class ModelDocument(Document):
    """A member of the bundle in use."""

    model: str
    loaded: bool
    reason: str | None = Field(description="Why it is not loaded.")
    benched: str | None = Field(description="Why its vote does not count now.")
    weight: float = Field(description="In the vote.")
    metrics: dict[str, Any] = Field(description="Figures of its training, on rows held out from it.")


class Models(Document):
    """The bundle in use and its members, in the order of its manifest."""

    bundle: str
    recipe: str
    timeframe: str
    mode: Literal["full", "partial", "none"]
    policy: str = Field(description="Policy that decides.")
    quorum: int = Field(description="Members that must agree, of all that are configured.")
    models: list[ModelDocument]


def models_document(predictor: Predictor, now: int) -> dict[str, Any]:
    """The document of a loaded bundle, or of the newest one of a series.

    Args:
        predictor: in use.
        now: of the bench, ms.
    """
    bundle = predictor.newest
    manifest, members = bundle.manifest, bundle.members
    benched = bundle.bench.at(now)
    return {
        "bundle": predictor.id,
        "recipe": manifest.recipe,
        "timeframe": manifest.timeframe,
        "mode": mode_without(predictor.mode, sum(model in members.sessions for model in benched)),
        "policy": "stack" if bundle.stack is not None else predictor.decides,
        "quorum": bundle.quorum,
        "models": [
            {
                "model": model,
                "loaded": model in members.sessions,
                "reason": members.failures.get(model),
                "benched": benched.get(model),
                "weight": manifest.policy.weight(model),
                "metrics": manifest.metrics.get(model, {}),
            }
            for model in members.order
        ],
    }
