"""Documents of `/journal`: records as of `quorate paper journal --json`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from quorate.serving.documents.document import Document


class RecordDocument(Document):
    """A record of the journal."""

    seq: int = Field(description="Number; increasing, with gaps.")
    written_at: str
    time: str = Field(description="Open time of its bar.")
    kind: str = Field(examples=["filled"])
    key: str
    symbol: str | None
    order_id: str | None
    body: dict[str, Any] = Field(description="The rest, by the kind of the record.")
    text: str | None = Field(description="One line in words; null for records without one.")


class JournalPage(Document):
    """Records that fit, the newest first."""

    records: list[RecordDocument]
    before: int | None = Field(description="For the next, older page: its `before`. Null where there is none.")
