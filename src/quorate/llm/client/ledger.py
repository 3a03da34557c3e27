"""Costs and failures of the panel of language models, shared by all processes that use a journal's database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Self

from quorate.core.clock import DAY_MS, format_ms, now_ms
from quorate.core.errors import MissingExtraError
from quorate.core.redaction import redact
from quorate.core.settings import JournalSettings
from quorate.llm.client.bookings import Booking, NotNow, Resting, Spent

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from quorate.trading.journal.backend import Backend

#: Nano-dollars of a dollar. Costs are whole numbers of them, so that sums are exact.
NANO = 1_000_000_000

_MOST_NANO = 10**15
_MOST_REASON = 300
# No account has this name, so no account's lock is taken.
_LOCK = " panel"


class PanelLedger:
    """Permission to ask providers, within the cap of a day and while they answer.

    Every call is one transaction under a lock, so that processes see each other's bookings, and on disk when it
    returns. The highest cost of a prompt is booked before it is sent and corrected when it is answered: a process that
    is killed in between leaves the highest cost, never less than was spent. Thread-safe.

    Args:
        backend: the database.
        usd_per_day: cap of the sum of a UTC day.
        failures: in a row, after which a provider rests.
        rest_s: how long it rests. Then one prompt is let through; others follow if it is answered.
        clock: time in ms.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        usd_per_day: float,
        failures: int,
        rest_s: float,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.place = backend.place
        self._backend = backend
        self._cap = nano_usd(usd_per_day)
        self._failures = failures
        self._rest_ms = round(1_000 * rest_s)
        self._clock = clock

    @classmethod
    def open(
        cls,
        url: str,
        settings: JournalSettings | None = None,
        *,
        usd_per_day: float,
        failures: int,
        rest_s: float,
        clock: Callable[[], int] = now_ms,
    ) -> Self:
        """The ledger in a journal's database, which is created or upgraded where needed.

        Args:
            url: of the journal, as `Journal.open` takes it.
            settings: timeouts of the journal; its URL is not used.
            usd_per_day: cap of the sum of a UTC day.
            failures: in a row, after which a provider rests.
            rest_s: how long it rests.
            clock: time in ms.

        Raises:
            JournalError: the database cannot be used.
            MissingExtraError: SQLAlchemy or Alembic is not installed.
        """
        # Not checked for damage, which takes seconds for a long journal: its sessions do that.
        settings = replace(settings or JournalSettings(), check=False)
        try:
            from quorate.trading.journal.backend import backend_of

            backend = backend_of(url, settings)
            backend.prepare(build=True)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "open the ledger of the panel", found=str(error), remedy="Run: pip install 'quorate[llm]'"
            ) from error
        return cls(backend, usd_per_day=usd_per_day, failures=failures, rest_s=rest_s, clock=clock)

    def admit(self, provider: str, model: str, most_usd: float) -> Booking | NotNow:
        """Book the highest cost of a prompt, if it may be sent now.

        Args:
            provider: that will be asked.
            model: that will be asked.
            most_usd: the most that the prompt can cost.

        Raises:
            JournalError: the booking cannot be written, so the prompt must not be sent.
        """
        from sqlalchemy import select, update

        from quorate.trading.journal.sql_tables import panel_providers

        now, nano = self._clock(), nano_usd(most_usd)
        day = now // DAY_MS * DAY_MS
        with self._transaction("book the cost of a prompt in") as connection:
            where = panel_providers.c.provider == provider
            state = connection.execute(select(panel_providers).where(where)).first()
            if state is not None and state.rests_until > now:
                until, found = format_ms(state.rests_until), state.reason
                return NotNow(f"{provider} rests until {until} UTC after {state.failures} failures: {found}")
            spent = _sum_of(connection, day)
            if nano and spent + nano > self._cap:
                return NotNow(
                    f"the cap of {_usd(self._cap)} a day: {_usd(spent)} are spent, and the prompt can cost {_usd(nano)}"
                )
            if state is not None and state.rests_until:
                # One prompt at a time tries a provider that rested.
                connection.execute(update(panel_providers).where(where).values(rests_until=now + self._rest_ms))
            _add(connection, Booking(provider, model, day, nano), 1, nano)
        return Booking(provider, model, day, nano)

    def settle(self, booking: Booking, usd: float, failure: str | None = None) -> None:
        """Correct a booked cost to what the prompt cost, and record whether the provider answered.

        Args:
            booking: of the prompt.
            usd: what it cost.
            failure: why there was no answer; None for an answer.

        Raises:
            JournalError: it cannot be written; the highest cost stays booked.
        """
        from sqlalchemy import delete, insert, select, update

        from quorate.trading.journal.sql_tables import panel_providers

        with self._transaction("record the cost of a prompt in") as connection:
            _add(connection, booking, 0, nano_usd(usd) - booking.nano_usd)
            where = panel_providers.c.provider == booking.provider
            if failure is None:
                connection.execute(delete(panel_providers).where(where))
                return
            known = connection.execute(select(panel_providers.c.failures).where(where)).scalar()
            failures = (known or 0) + 1
            until = self._clock() + self._rest_ms if failures >= self._failures else 0
            values = {"failures": failures, "rests_until": until, "reason": redact(failure)[:_MOST_REASON]}
            if known is None:
                connection.execute(insert(panel_providers).values(provider=booking.provider, **values))
            else:
                connection.execute(update(panel_providers).where(where).values(**values))

    def wake(self, providers: Collection[str]) -> None:
        """Let providers be asked that rest; one more failure makes them rest again.

        Args:
            providers: by name.

        Raises:
            JournalError: it cannot be written.
        """
        from sqlalchemy import update

        from quorate.trading.journal.sql_tables import panel_providers

        resting = update(panel_providers).where(panel_providers.c.provider.in_(sorted(providers)))
        with self._transaction("record the failures of providers in") as connection:
            connection.execute(resting.values(rests_until=0))

    def spent(self, day: int | None = None) -> list[Spent]:
        """What each model cost on a UTC day, by name.

        Args:
            day: any time of it in ms; None for today.

        Raises:
            JournalError: it cannot be read.
        """
        from sqlalchemy import select

        from quorate.trading.journal.sql_tables import panel_costs

        start = (self._clock() if day is None else day) // DAY_MS * DAY_MS
        query = select(panel_costs).where(panel_costs.c.day == start).order_by(*panel_costs.primary_key)
        with self._transaction("read the costs of prompts in") as connection:
            rows = connection.execute(query).all()
        return [Spent(row.provider, row.model, row.prompts, row.nano_usd / NANO) for row in rows]

    def resting(self) -> list[Resting]:
        """Providers that failed since they last answered, by name.

        Raises:
            JournalError: it cannot be read.
        """
        from sqlalchemy import select

        from quorate.trading.journal.sql_tables import panel_providers

        with self._transaction("read the failures of providers in") as connection:
            rows = connection.execute(select(panel_providers).order_by(panel_providers.c.provider)).all()
        return [Resting(row.provider, row.failures, row.rests_until, row.reason) for row in rows]

    @contextmanager
    def _transaction(self, attempted: str) -> Iterator[Connection]:
        """One transaction, alone among those of all processes."""
        from sqlalchemy.exc import DBAPIError

        try:
            # A connection each: prompts of several threads end at any time, and there are few of them.
            with self._backend.connect(writes=True) as connection, connection.begin():
                self._backend.lock_account(connection, _LOCK)
                yield connection
        except DBAPIError as error:
            raise self._backend.explain(error, attempted) from error


def nano_usd(usd: float) -> int:
    """Whole nano-dollars of an amount, rounded up so that no cost is lost, and at most a million dollars.

    >>> nano_usd(0.1), nano_usd(1e-12), nano_usd(0)
    (100000000, 1, 0)
    """
    return min(_MOST_NANO, int((Decimal(repr(float(usd))) * NANO).to_integral_value(ROUND_CEILING)))


def _usd(nano: int) -> str:
    return f"${Decimal(nano) / NANO:f}"


def _sum_of(connection: Connection, day: int) -> int:
    from sqlalchemy import func, select

    from quorate.trading.journal.sql_tables import panel_costs

    return int(
        connection.execute(select(func.sum(panel_costs.c.nano_usd)).where(panel_costs.c.day == day)).scalar() or 0
    )


def _add(connection: Connection, booking: Booking, prompts: int, nano: int) -> None:
    """Add to a model's prompts and cost of a day."""
    from sqlalchemy import insert, update

    from quorate.trading.journal.sql_tables import panel_costs as costs

    where = (costs.c.day == booking.day, costs.c.provider == booking.provider, costs.c.model == booking.model)
    changed = connection.execute(
        update(costs).where(*where).values(prompts=costs.c.prompts + prompts, nano_usd=costs.c.nano_usd + nano)
    )
    if not changed.rowcount:
        values = {"provider": booking.provider, "model": booking.model, "prompts": prompts, "nano_usd": nano}
        connection.execute(insert(costs).values(day=booking.day, **values))
