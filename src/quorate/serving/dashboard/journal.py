"""The page "Journal": the account's records, the newest first, searchable and live."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from quorate.core.errors import ArgumentError, QuorateError, UnknownAccountError
from quorate.core.text.plural import counted
from quorate.serving.caller import address
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.account_rows import ShownAccount
from quorate.trading.journal import Entry, ValuedRecord, entry_json
from quorate.trading.journal.records import RECORDS
from quorate.trading.paper.log_lines import line

PATH = f"{HOME}/journal"

_PAGE = 50
_MOST_TEXT = 200
_FIELDS = ("text", "kind", "symbol", "start", "end")


@dataclass(frozen=True, slots=True)
class JournalSearch:
    """What a page of the journal is asked for; empty fields are no condition.

    Attributes:
        before: number of the record before which the page begins; 0 for the newest ones.
    """

    text: str = ""
    kind: str = ""
    symbol: str = ""
    start: str = ""
    end: str = ""
    before: int = 0

    @classmethod
    def of(cls, request: Request) -> JournalSearch:
        """From the query."""
        query = request.query_params
        before = query.get("before", "")
        found = {name: query.get(name, "").strip()[:_MOST_TEXT] for name in _FIELDS}
        return cls(**found, before=int(before) if before.isdecimal() and len(before) < 18 else 0)

    def address(self, before: int) -> str:
        """The query of another page of the same search."""
        fields = {name: value for name in _FIELDS if (value := getattr(self, name))}
        return urlencode({**fields, **({"before": before} if before else {})})


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A record: its columns as text, and its body."""

    seq: int
    written_at: str
    time: str
    kind: str
    symbol: str
    text: str
    body: str


def add_journal(router: APIRouter, pages: Pages) -> None:
    """Add the page."""
    service = pages.service
    view = service.account.view

    @router.get(PATH)
    async def journal(request: Request) -> Response:
        search = JournalSearch.of(request)

        def work() -> list[Entry]:
            return view.records(
                _PAGE + 1,
                before=search.before or None,
                kinds=search.kind,
                symbol=search.symbol or None,
                text=search.text or None,
                start=search.start or None,
                end=search.end or None,
            )

        entries: list[Entry] = []
        refused: QuorateError | None = None
        try:
            entries = await service.reading.run(address(request), work)
        except ArgumentError as error:  # of the search: it is shown beside its fields
            refused = error
        except UnknownAccountError:
            return pages.render(request, "no_account.html", 404, account=ShownAccount.of(service))
        document = None if service.account.status is None else service.account.status.document
        return pages.render(
            request,
            "journal.html",
            422 if refused else 200,
            rows=[_row(entry) for entry in entries[:_PAGE]],
            older=search.address(entries[_PAGE - 1].seq) if len(entries) > _PAGE else "",
            newest=search.address(0),
            search=search,
            kinds=tuple(RECORDS),
            symbols=[] if document is None else document["symbols"],
            account=view.account.name,
            refused=refused,
        )


def _row(entry: Entry) -> JournalRow:
    found: dict[str, Any] = entry_json.to_json(entry)
    body = json.dumps(found["body"], ensure_ascii=False, indent=1)
    record = entry.record
    text = _valued(record) if isinstance(record, ValuedRecord) else line(record) or _plain(found["body"])
    # The bar and the market have columns of their own.
    for part in (found["time"][:16].replace("T", " "), found["symbol"] or ""):
        text = text.removeprefix(part).strip()
    return JournalRow(
        seq=found["seq"],
        written_at=found["written_at"],
        time=found["time"],
        kind=found["kind"],
        symbol=found["symbol"] or "",
        text=text,
        body=body,
    )


def _valued(record: ValuedRecord) -> str:
    """The state of the account at the open or the close of a bar."""
    held = counted(len(record.marks), "open position") if record.marks else "no open position"
    return f"at the {record.phase}: equity {record.equity_usd:,.2f}, cash {record.cash_usd:,.2f}, {held}"


def _plain(body: dict[str, Any]) -> str:
    """The simple values of a record that the log does not have.

    >>> _plain({"action": "rearm", "guard": "losses", "note": "", "at": 12.5})
    'action rearm, guard losses, at 12.5'
    """
    shown = {name: value for name, value in body.items() if isinstance(value, str | int | float) and value != ""}
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:.8g}' if isinstance(value, float) else value}"
        for name, value in shown.items()
    )
