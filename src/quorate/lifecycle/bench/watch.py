"""A check of the members that is kept, and told where one is benched or returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import path_of
from quorate.core.clock import now_ms
from quorate.core.progress import Progress, silent
from quorate.lifecycle.bench.check import check_bench
from quorate.lifecycle.bench.member_check import BenchCheck
from quorate.lifecycle.bench.notice import send_bench_notices
from quorate.lifecycle.bench.stored_bench import write_bench
from quorate.trading.webhook import url_of
from quorate.workflows.inputs.arguments import settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.inputs.market_data import Data


def watch_bench(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    clock: Callable[[], int] = now_ms,
) -> BenchCheck:
    """Check the members of a bundle, keep the result where the live path reads it, and send a message about each move.

    Nothing is sent where `bench.apply` is not set, since every member votes then.

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
        QuorateError: and those of `check_bench`.
    """
    settings = settings_of(settings)
    url_of()  # before anything is read or written
    path = path_of("check the members", "bundle", bundle)
    found = check_bench(path, data, symbols=symbols, settings=settings, progress=progress, now=clock())
    after, before = write_bench(path, found)
    if settings.bench.apply:
        send_bench_notices(after, before, clock(), settings.notify)
    return after
