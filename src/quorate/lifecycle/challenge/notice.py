"""The webhook message about the end of a challenge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms
from quorate.trading.journal import JudgedRecord
from quorate.trading.webhook import Webhook

if TYPE_CHECKING:
    from quorate.core.settings import NotifySettings
    from quorate.trading.journal import ChallengedRecord, Record


def verdict_message(name: str, start: ChallengedRecord, end: JudgedRecord) -> dict[str, Any]:
    """The message about a verdict; `text` is one line, as chat programs show it.

    Args:
        name: of the challenge.
        start: its first record.
        end: its last one.
    """
    return {
        "event": "challenge",
        "text": f"Challenge {name} of {start.champion} by {start.challenger}: {end.verdict}: {end.reason}",
        "time": iso_ms(end.at),
        "challenge": name,
        "verdict": end.verdict,
        "reason": end.reason,
        "champion": start.champion,
        "challenger": start.challenger,
    }


def with_notice(
    name: str, start: ChallengedRecord, settings: NotifySettings, listener: Callable[[Record], None] | None
) -> Callable[[Record], None]:
    """A listener that sends the message about the verdict to the address in QUORATE_WEBHOOK, if there is one.

    It waits for the webhook up to `notify.last_s`; a failing one is logged and changes nothing.

    Args:
        name: of the challenge.
        start: its first record.
        settings: of the webhook.
        listener: called first with every record.
    """

    def listen(record: Record) -> None:
        if listener is not None:
            listener(record)
        if isinstance(record, JudgedRecord):
            webhook = Webhook.from_environment(name, settings)
            if webhook is not None:
                webhook.send(verdict_message(name, start, record))
                webhook.close()

    return listen
