"""Document of `/retrain`: the one of `quorate retrain --status --json`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document


class PlannedDocument(Document):
    """The next run."""

    time: str = Field(description="In the past where it is overdue.")
    why: str


class RetrainSpanDocument(Document):
    """Bars of a training, the last excluded."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    start: str = Field(alias="from")
    to: str


class RetrainRunDocument(Document):
    """A run."""

    run: int
    started: str
    ended: str | None
    state: Literal["running", "promoted", "kept", "failed"] = Field(
        description="At work or killed; its bundle is champion; its bundle is a challenger; it ended with an error."
    )
    stage: str
    attempts: int
    why: str
    reason: str = Field(description="Of the verdict; empty until then.")
    champion: str = Field(description="The bundle that it was held against.")
    bundle: str | None = Field(description="The bundle that it trained.")
    span: RetrainSpanDocument | None
    gate: dict[str, Any] | None = Field(description="Figures and conditions of the gate.")
    removed: list[str] = Field(description="Bundles that it removed.")
    next: str | None


class Retraining(Document):
    """The retraining of a folder of bundles."""

    folder: str
    champion: str | None
    at_work: bool = Field(description="Whether a process is retraining now.")
    next: PlannedDocument | None = Field(
        description="By the schedule of a service that retrains, else as the last run planned."
    )
    runs: list[RetrainRunDocument] = Field(description="The oldest first.")
