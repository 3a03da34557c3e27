"""Document of `/selection`."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document


class TermDocument(Document):
    """A time in which the same members vote."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    start: str = Field(alias="from")
    members: list[str]
    reason: str


class SelectedMemberDocument(Document):
    """A member over the newest window."""

    model: str
    votes: bool
    since: str | None = Field(description="Null where it does not vote.")
    skill: float | None = Field(description="Over the class prior, alone.")
    adds: float | None = Field(
        description="Of a member that votes, the skill that the others lose without it; of another one, the skill that "
        "its best change for a member that votes would gain."
    )


class SelectionDocument(Document):
    """What `quorate select` found of the bundle in use."""

    bundle: str
    headline: str
    size: int = Field(description="Members that vote; 0: all.")
    synthetic: bool
    looked_at: str | None = Field(description="The newest midnight of a whole window; null before there is one.")
    checked_at: str | None = Field(description="Null before the first check.")
    window_days: int
    members: list[SelectedMemberDocument]
    terms: list[TermDocument] = Field(description="The earliest first.")
