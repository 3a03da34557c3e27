"""`quorate bundle card`: the model card of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable


def card(
    bundle: Annotated[
        str | None, typer.Argument(metavar="ID", help="Bundle, as listed by `quorate bundle list`. [default: champion]")
    ] = None,
    bundles: options.Bundles = Path("bundles"),
    as_json: options.Json = False,
) -> None:
    """Write the model card of a bundle, card.md and card.html in its folder.

    A card is made from the bundle alone: what it is, its data, features, metrics, calibration, importance and limits,
    and how to reproduce it. Training writes it too.
    """
    from quorate.cli import output
    from quorate.lifecycle.cards.write_card import write_card
    from quorate.workflows.bundles import show_bundle

    found = show_bundle(bundles, bundle)
    markdown, page = write_card(found.path)
    if as_json:
        output.print_json({"bundle": found.manifest.id, "markdown": str(markdown), "html": str(page)})
    else:
        output.print_line(f"{markdown}\n{page}")


def write_cards(paths: Iterable[Path]) -> None:
    """Write the cards of bundles that were trained; one that cannot be written is a note, and no failed training."""
    from quorate.cli import output
    from quorate.lifecycle.cards.write_card import attempt_card

    for path in paths:
        if failure := attempt_card(path):
            output.note(failure)
