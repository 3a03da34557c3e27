"""Documents of `/guards`: guards and ladder of the account, and requests to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from quorate.serving.documents.document import Document
from quorate.serving.documents.paper import (
    DriftStateDocument,
    GuardDocument,
    LadderDocument,
    Mode,
    MoveDocument,
    RequestDocument,
)

#: A reason that a person typed.
Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000),
    Field(description="Reason, for the record.", examples=["Checked the positions by hand."]),
]


class RequestBody(Document):
    """Body of a request to the account."""

    note: Note


class GuardsDocument(Document):
    """Guards and ladder; null in a session without."""

    account: str
    mode: Mode
    guards: list[GuardDocument] | None
    ladder: LadderDocument | None
    drift: DriftStateDocument
    requests: list[RequestDocument]
    moves: list[MoveDocument]


class Requested(Document):
    """A request that is recorded and applies from the next bar: the document of `quorate paper rearm --json`."""

    action: Literal["rearm", "promote"]
    guard: str
    who: str
    note: str
    at: str
