"""A session of a paper account that is ready to run, and what hears of its records: log, webhook, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from quorate.workflows.paper.status import PaperStatus, status_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.trading.journal import Journal, Record
    from quorate.trading.paper import AccountStatus, PaperSession

#: Called with every record once it is in the journal.
Listener = Callable[["Record"], None]


class PaperRun:
    """A session that is ready to run, from where its journal ends.

    Args:
        session: the session.
        journal: of the account, opened by the session.
        settings: intervals and criteria of the status.
        more: further keys of the status's document, from the account's status after the run.
    """

    def __init__(
        self,
        session: PaperSession,
        journal: Journal,
        settings: Settings,
        more: Callable[[AccountStatus], Mapping[str, Any]],
    ) -> None:
        self._session, self._journal, self._settings, self._more = session, journal, settings, more

    def run(self) -> PaperStatus:
        """Trade until the feed ends or `stop` is called; the account's status, with all trades and its equity.

        Raises:
            JournalError: the journal contradicts the session; `JournalUnavailableError` where it cannot be written.
        """
        from quorate.trading.paper import AccountStatus

        self.trade()
        status = AccountStatus(self._journal)
        return status_of(status, self._settings, whole=True, more=self._more(status))

    def trade(self) -> None:
        """The same without the status, which takes seconds for a long journal.

        Raises:
            JournalError: as `run`.
        """
        self._session.run()

    def stop(self) -> None:
        """End after the step at hand; may be called from any thread."""
        self._session.stop()


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
