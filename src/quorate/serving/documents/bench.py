"""Document of `/bench`."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document


class BenchSpanDocument(Document):
    """A time in which the vote of a member does not count."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    model: str
    start: str = Field(alias="from")
    to: str | None = Field(description="Null while it is benched.")
    reason: str
    by: str = Field(description="Who benched it; empty if the rule did.")


class FigureDocument(Document):
    """A figure of a member over the newest window, its limit, and the figure on held-out rows of the training."""

    value: float
    limit: float
    at_training: float


class MemberCheckDocument(Document):
    """A member over the newest window."""

    model: str
    skill: FigureDocument | None = Field(description="Over the class prior; beyond bounds below its limit.")
    calibration_error: FigureDocument | None = Field(description="Beyond bounds above its limit.")
    behind: FigureDocument | None = Field(description="Skill of the mean of the others less its own; likewise.")
    lacking: str = Field(description="Why there are no figures; empty if there are.")


class BenchDocument(Document):
    """What `quorate bench` found of the bundle in use, and what people benched by hand."""

    bundle: str
    headline: str
    applied: bool = Field(description="Whether benched members abstain, by the setting `bench.apply`.")
    benched: list[BenchSpanDocument]
    synthetic: bool
    looked_at: str | None = Field(description="End of the newest whole window; null before there is one.")
    checked_at: str | None = Field(description="Null before the first check.")
    window_days: int
    chance: float = Field(description="Chance that a stationary year benches any member for drift.")
    members: list[MemberCheckDocument]
    spans: list[BenchSpanDocument] = Field(description="Present and earlier ones, the earliest first.")
