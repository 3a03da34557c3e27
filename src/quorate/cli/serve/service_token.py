"""`quorate token`: the token of the service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.cli.shell.streams import print_secret

if TYPE_CHECKING:
    from quorate.core.settings import AccessSettings


def token(
    new: Annotated[
        bool, typer.Option("--new", help="Make a new token and print it. The one before and every login end at once.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show whether the service has a token, or make a new one.

    A token is printed once, when it is made; its hash alone is stored. A running service takes a new one at once.
    """
    from quorate.cli import output
    from quorate.core.configuration import load_settings
    from quorate.serving.access import new_token, token_status

    settings = load_settings().access
    if new:
        made = new_token(settings)
        # As it is: other output is searched for secrets.
        print_secret(f'{{"token": "{made}"}}' if as_json else made, sys.stdout)
        return
    status = token_status(settings)
    if as_json:
        output.print_json(status.to_json())
    else:
        output.print_line(status.line())


def show_first_token(settings: AccessSettings) -> None:
    """Make the token at the first start on a terminal, and show it once.

    Elsewhere standard error is a log, where no token may stand.
    """
    from quorate.cli import output
    from quorate.serving.access import first_token, token_status

    if token_status(settings).exists:
        return
    if not sys.stderr.isatty():
        output.note("no token yet, so nobody has access; make one: quorate token --new")
        return
    token = first_token(settings)
    if token is not None:
        output.note("The token of this service, which is shown only now:")
        print_secret(token, sys.stderr)
