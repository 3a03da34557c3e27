"""Documents of `/bundles`: the ones of `quorate bundle list`, `show`, `promote` and `rollback` with `--json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from quorate.serving.documents.document import Document


class Reason(BaseModel):
    """Body of a change."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"why": "a better quarter on paper"}]}
    )

    why: Annotated[str, Field(max_length=1_000, description="Reason, for the record.")] = ""


class SpanDocument(BaseModel):
    """First and last moment, UTC; the last is excluded."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class BundleEntry(Document):
    """A bundle of the folder; one that cannot be read has its error and no other key."""

    id: str = Field(examples=["d963884084bd5950"])
    champion: bool
    published: str | None
    error: str | None
    recipe: str | None = None
    timeframe: str | None = None
    features: str | None = None
    symbols: list[str] | None = None
    synthetic: bool | None = None
    training_span: SpanDocument | None = None
    members: dict[str, bool] | None = Field(None, description="Member: whether it was trained.")


class MemberFiles(Document):
    """A member of a bundle and its files."""

    model: str
    native: str | None
    graph: str | None
    failure: str | None


class ChampionLogLine(Document):
    """An entry of the log of champions."""

    time: str
    action: Literal["publish", "promote", "rollback", "interrupted", "remove"]
    id: str
    previous: str | None
    by: str
    why: str


class BundleShown(Document):
    """A bundle's manifest, and its entries in the log of champions."""

    path: str
    champion: bool
    id: str
    schema_version: int
    recipe: str
    features: dict[str, Any]
    classes: list[str]
    dtype: str
    target: dict[str, Any]
    policy: dict[str, Any]
    decides: str
    symbols: list[str]
    timeframe: str
    synthetic: bool
    training_span: SpanDocument
    fitted_until: str = Field(description="Last bar, UTC, whose close a label reads that a member was fitted on.")
    used_until: str = Field(description="Likewise for all that was fitted or chosen; later rows were measured alone.")
    rows: dict[str, int]
    class_prior: list[float]
    members: list[MemberFiles]
    metrics: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    files: dict[str, str] = Field(description="File: its SHA-256.")
    stack: dict[str, Any] | None = None
    history: list[ChampionLogLine]


class ChampionChanged(Document):
    """The champion after a change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "champion": "8c3b8c5cc20f52d0",
                    "previous": "d963884084bd5950",
                    "changed": True,
                    "path": "bundles/8c3b8c5cc20f52d0",
                }
            ]
        }
    )

    champion: str
    previous: str | None
    changed: bool = Field(description="False where it was champion already.")
    path: str
