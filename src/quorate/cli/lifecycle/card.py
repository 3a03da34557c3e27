"""`quorate bundle card`: the model card of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options


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
    from quorate.evaluation.cards.write_card import write_card
    from quorate.workflows.bundles import show_bundle

    found = show_bundle(bundles, bundle)
    markdown, page = write_card(found.path)
    if as_json:
        output.print_json({"bundle": found.manifest.id, "markdown": str(markdown), "html": str(page)})
    else:
        output.print_line(f"{markdown}\n{page}")
