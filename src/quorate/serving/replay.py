"""A service of stored candles that shows them as if they came in now: its clock moves with an account's replay."""

from __future__ import annotations

from pathlib import Path

from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.settings import Settings
from quorate.market.revealed import RevealedCandles
from quorate.serving.live.account import LiveAccount
from quorate.serving.live.session import SessionSource
from quorate.serving.service import Service
from quorate.workflows.bundles import show_bundle
from quorate.workflows.inputs.market_data import open_source
from quorate.workflows.paper import PaperAccount


class ReplayClock:
    """The close of the newest bar that an account has traded, in ms.

    Args:
        start: until there is one.
        timeframe: of the bars.
    """

    def __init__(self, start: int, timeframe: str) -> None:
        self._start, self._length = start, timeframe_ms(timeframe)
        self._account: LiveAccount | None = None

    def follow(self, account: LiveAccount) -> None:
        """Move with this account from now on."""
        self._account = account

    def __call__(self) -> int:
        status = None if self._account is None else self._account.status
        bar = None if status is None else status.document["last_bar"]
        return self._start if bar is None else parse_ms(bar) + self._length


def replay_service(
    bundles: str | Path, data: str | Path, account: PaperAccount, *, speed: float, settings: Settings
) -> Service:
    """A service that replays the bars after a bundle's training span, and knows no later bar than its account.

    Args:
        bundles: a folder of bundles.
        data: a Freqtrade data folder.
        account: that trades inside the service; without a session so far.
        speed: bars a second.
        settings: of the service, the bundle and the account.

    Raises:
        BundleError: no champion there, or one that cannot be loaded.
        DataError: the data cannot be read, or ends before the training span does.
    """
    manifest = show_bundle(bundles).manifest
    first = manifest.training_end
    # One bar after the training span is closed, so that there is a signal from the beginning on.
    clock = ReplayClock(first + timeframe_ms(manifest.timeframe), manifest.timeframe)
    source = RevealedCandles(open_source(data, (), manifest.timeframe), clock)
    session = SessionSource(data, None, {"start": first, "speed": speed})
    service = Service(bundles, source, account=account, session=session, settings=settings, clock=clock)
    clock.follow(service.account)
    return service
