"""Base of all documents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """An answer of the service. Tests compare every answer with its type; unknown keys are errors there."""

    model_config = ConfigDict(extra="forbid", strict=True)
