"""What hears of the records of a session: its log, its webhook, its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.journal import Journal, Record

#: Called with every record once it is in the journal.
Listener = Callable[["Record"], None]


def chain(*listeners: Listener | None) -> Listener | None:
    """One listener that calls all given ones, in order."""
    wanted = [listener for listener in listeners if listener is not None]

    def call(record: Record) -> None:
        for listener in wanted:
            listener(record)

    return call if wanted else None


@contextmanager
def webhook_listener(
    name: str, url: str, settings: Settings, journal: Journal, currency: str
) -> Iterator[Listener | None]:
    """The listener that sends messages to the address in the environment; None without one.

    Args:
        name: of the account.
        url: of its journal.
        settings: of messages and journal.
        journal: of the account, opened by its session.
        currency: of its amounts.
    """
    from quorate.trading.journal import Journal
    from quorate.trading.webhook import Webhook

    beside = partial(Journal.open, url, name, role="notifier", settings=settings.journal)
    webhook = Webhook.from_environment(name, settings.notify, journal=journal, beside=beside, currency=currency)
    if webhook is None:
        yield None
        return
    try:
        yield webhook.notify
    finally:
        webhook.close()
