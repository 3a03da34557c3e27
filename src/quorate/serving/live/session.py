"""A paper account that trades inside the process, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from quorate.core.errors import JournalTakenError, QuorateError
from quorate.serving.champion import BundleSwap, Champion
from quorate.workflows.paper import PaperAccount, PaperOptions, PaperRun

if TYPE_CHECKING:
    from quorate.ensemble.inference import Predictor
    from quorate.workflows.inputs.market_data import Data

_log = logging.getLogger(__name__)

State = Literal["starting", "standby", "running", "ended", "failed"]


@dataclass(frozen=True, slots=True)
class SessionSource:
    """What a session trades on.

    Attributes:
        data: stored candles to replay; None for live ones.
        exchange: instead: live candles of this exchange, as ccxt names it.
        options: markets, span, speed, guards.
    """

    data: Data | None = None
    exchange: str | None = None
    options: PaperOptions = field(default_factory=PaperOptions)


class InsideSession:
    """Runs a session, and starts it again with each new champion.

    An account has one writer. While another process is it, this one stands by: it tries again from time to time, and
    takes over when that process has ended.

    Args:
        account: that trades.
        champion: whose bundle decides.
        source: of its candles.
        written: called after records were written.
        retry_s: before an account that another process writes is tried again.

    Attributes:
        state: starting, standby while another process writes the account, running, ended after the last bar of a replay
            or a stop, or failed.
        error: why it failed, or stands by.
    """

    def __init__(
        self,
        account: PaperAccount,
        champion: Champion,
        source: SessionSource,
        written: Callable[[], None],
        retry_s: float,
    ) -> None:
        self._account, self._champion, self._source, self._written = account, champion, source, written
        self._thread = ThreadPoolExecutor(1, "quorate-paper")
        self._lock = threading.Lock()
        self._session: PaperRun | None = None
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._again = False
        self.state: State = "starting"
        self.error: QuorateError | None = None
        champion.listeners.append(self._restart)

    async def run(self) -> None:
        """Trade until the candles end or the service stops; a failure is logged and kept in `error`."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._trade)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self.stop()
            with suppress(QuorateError):
                await running
            raise
        except QuorateError as error:
            self.error = error
            _log.error("account %s: the session has ended: %s", self._account.name, error)
        finally:
            failure = running.exception()
            if failure is not None and not isinstance(failure, QuorateError):
                found = f"an internal error ({type(failure).__name__})"
                self.error = QuorateError("run the session", found=found, remedy="The log has the details; report it.")
            self.state = "ended" if failure is None else "failed"
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """End after the step at hand; may be called from any thread."""
        with self._lock:
            self._stopping.set()
            if self._session is not None:
                self._session.stop()

    def _trade(self) -> None:
        while not self._stopping.is_set():
            try:
                again = self._trade_with_champion()
            except JournalTakenError as error:
                self._stand_by(error)
                continue
            if not again:
                return

    def _trade_with_champion(self) -> bool:
        """Trade by the present champion; whether to go on with another one."""
        predictor = self._champion.predictor
        try:
            with self._account.session(
                self._bundle(predictor),
                self._source.data,
                exchange=self._source.exchange,
                listener=lambda _: self._written(),
                **self._source.options,
            ) as session:
                with self._lock:
                    self._session = session
                    # A stop, or a champion, that came while the session was prepared.
                    self._again = predictor.id != self._champion.predictor.id
                    if self._stopping.is_set() or self._again:
                        session.stop()
                self.state, self.error = "running", None
                session.trade()
        finally:
            with self._lock:
                self._session = None
        return self._again

    def _stand_by(self, error: JournalTakenError) -> None:
        """Wait before the next attempt; said once."""
        if self.state != "standby":
            _log.warning("account %s: standing by: %s", self._account.name, error)
        self.state, self.error = "standby", error
        self._stopping.wait(self._retry_s)

    def _bundle(self, predictor: Predictor) -> Predictor | Path:
        """The loaded bundle; for a replay its folder, since a replay loads it without deadlines."""
        if self._source.data is None:
            return predictor
        store = self._champion.store
        return self._champion.path if store is None else store.path(predictor.id)

    def _restart(self, swap: BundleSwap) -> None:
        """Continue with the new champion from the next bar on."""
        if swap.result != "swapped":
            return
        with self._lock:
            if self._session is not None:
                self._again = True
                self._session.stop()
