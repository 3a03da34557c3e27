"""A choice of the members that is kept, and told where it changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.arguments import path_of
from quorate.core.clock import iso_ms, now_ms
from quorate.core.progress import Progress, silent
from quorate.lifecycle.selection.check import check_selection
from quorate.lifecycle.selection.selection_check import SelectionCheck
from quorate.lifecycle.selection.stored_selection import write_selection
from quorate.trading.webhook import Webhook, url_of
from quorate.workflows.inputs.arguments import settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.inputs.market_data import Data


def watch_selection(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    clock: Callable[[], int] = now_ms,
) -> SelectionCheck:
    """Choose the members that vote, keep the result where the live path reads it, and send a message where it changed.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series (its newest bundle).
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbols: markets; None for those of the training that the data has.
        settings: None for those of quorate.toml and the environment.
        progress: of reading candles and predicting.
        clock: returns the current time in ms.

    Raises:
        SettingsError: an invalid address of the webhook; nothing is done then.
        DataError: the file cannot be read or written.
        QuorateError: and those of `check_selection`.
    """
    settings = settings_of(settings)
    url_of()  # before anything is read or written
    path = path_of("choose the members that vote", "bundle", bundle)
    found = check_selection(path, data, symbols=symbols, settings=settings, progress=progress, now=clock())
    before = write_selection(path, found)
    message = selection_message(found, before, clock())
    webhook = None if message is None else Webhook.from_environment("selection", settings.notify)
    if webhook is not None and message is not None:
        webhook.send(message)
        webhook.close()
    return found


def selection_message(after: SelectionCheck, before: SelectionCheck | None, time: int) -> dict[str, Any] | None:
    """Webhook message about members that vote from now on; `text` is one line, as chat programs show it.

    Args:
        after: who votes now.
        before: who voted before; None before the first check.
        time: of the message, ms.

    Returns:
        None where nobody came or left, and at the first check.
    """
    if not after.terms or before is None or not before.terms:
        return None
    now, earlier = after.terms[-1], before.terms[-1]
    if set(now.members) == set(earlier.members):
        return None
    return {
        "event": "selected",
        "text": f"Bundle {after.bundle}: {', '.join(now.members)} vote: {now.reason}",
        "time": iso_ms(time),
        "models": list(now.members),
        "reason": now.reason,
    }
