"""Settings of a book as its training and its evaluation use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from quorate.workflows.inputs.selection import split_names

if TYPE_CHECKING:
    from quorate.core.settings import BookSettings, Settings


def chosen_settings(settings: Settings, models: Sequence[str] | str | None) -> BookSettings:
    """Settings of the book, with the members that a caller names and the files of `models.modules`.

    The quorum is at most the number of members.

    Args:
        settings: in force.
        models: registered names, as a sequence or a text with commas; None for the setting `book.members`.

    Raises:
        ArgumentError: neither text nor a sequence of texts.
        ModelError: an unknown one; the close match is named.
        SettingsError: a file of models of your own that cannot be read or fails.
    """
    from quorate.models.registry import require_known

    book = settings.book
    if members := split_names(models, "models"):
        book = replace(book, members=members, quorum=min(book.quorum, len(members)))
    files = dict.fromkeys((*settings.models.modules, *book.models.modules))
    book = replace(book, models=replace(book.models, modules=tuple(files)))
    for name in book.members:
        require_known(name, book.models)
    return book
