"""`quorate paper rearm` and `promote`: requests of a person to an account."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import Account, Note, Url, Who

if TYPE_CHECKING:
    from quorate.workflows.paper import PaperRequest, RequestedMove


def rearm(
    guard: options.Guard,
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Note = "",
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard that has halted an account.

    Applies from the next bar.
    """
    from quorate.workflows.paper import PaperAccount

    who = who or getpass.getuser()
    _show(PaperAccount(account, journal).rearm(guard, who=who, note=note, confirm=None if yes else _ask), as_json)


def promote(
    account: Account = None,
    journal: Url = None,
    who: Who = None,
    note: Note = "",
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Confirm the next step of the ladder.

    Refused unless the conditions of the step are met. Applies from the next bar.
    """
    from quorate.workflows.paper import PaperAccount

    who = who or getpass.getuser()
    _show(PaperAccount(account, journal).promote(who=who, note=note, confirm=None if yes else _ask), as_json)


def _ask(move: RequestedMove) -> bool:
    question = f"{move.account}: {move.what}: {move.before} -> {move.after}, decided by {move.who}. Sure?"
    return typer.confirm(question, abort=True, err=True)


def _show(request: PaperRequest | None, as_json: bool) -> None:
    from quorate.cli import output

    if request is None:  # not confirmed: typer has ended the program
        return
    if as_json:
        output.print_json(request.to_json())
    else:
        output.print_line("recorded; applies from the next bar")
