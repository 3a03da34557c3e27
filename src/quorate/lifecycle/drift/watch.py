"""A check for drift that is kept, and told where an alarm begins or ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.arguments import path_of
from quorate.core.clock import iso_ms, now_ms
from quorate.core.errors import DataError
from quorate.core.progress import Progress, silent
from quorate.evaluation.drift.drift_check import DriftCheck
from quorate.evaluation.drift.stored_check import read_check, write_check
from quorate.lifecycle.drift.check import check_drift
from quorate.lifecycle.drift.watched import open_bundle
from quorate.lifecycle.retrain.span import download_newest
from quorate.trading.webhook import Webhook, url_of
from quorate.workflows.inputs.arguments import settings_of

if TYPE_CHECKING:
    from quorate.core.settings import NotifySettings, Settings
    from quorate.workflows.inputs.market_data import Data

_log = logging.getLogger(__name__)


def watch_drift(
    bundle: str | Path,
    data: Data,
    *,
    exchange: str | None = None,
    symbols: Sequence[str] | str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    clock: Callable[[], int] = now_ms,
) -> DriftCheck:
    """Check a bundle, keep the result beside the champion's pointer, and send a message if an alarm began or ended.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series (its newest bundle).
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        exchange: download the newest candles of this exchange into the folder `data` first; ccxt's name.
        symbols: markets; None for those of the training that the data has.
        settings: None for those of quorate.toml and the environment.
        progress: of reading candles and predicting.
        clock: returns the current time in ms.

    Raises:
        SettingsError: an invalid address of the webhook; nothing is done then.
        ExchangeError: the newest candles could not be downloaded.
        QuorateError: and those of `check_drift`.
    """
    settings = settings_of(settings)
    url_of()  # before anything is read or written
    path = path_of("check for drift", "bundle", bundle)
    if exchange is not None and isinstance(data, str | Path):
        manifest = open_bundle(path, settings)[1].manifest
        download_newest(Path(data), exchange, manifest, manifest.used_until, settings, progress)
    found = check_drift(path, data, symbols=symbols, settings=settings, progress=progress, now=clock())
    before = _before(path, found.bundle)
    write_check(path, found)
    if (before is not None and before.verdict == "drifting") != (found.verdict == "drifting"):
        _send(found, settings.notify)
    return found


def drift_message(check: DriftCheck) -> dict[str, Any]:
    """The message about a check by which an alarm began or ended; `text` is one line, as chat programs show it."""
    return {
        "event": "drift_alarm" if check.verdict == "drifting" else "drift_over",
        "text": f"Drift of {check.bundle}: {check.headline}",
        "time": iso_ms(check.checked_at),
        "bundle": check.bundle,
        "verdict": check.verdict,
        "since": None if check.since is None else iso_ms(check.since),
        "advice": check.advice,
        "action": check.action,
    }


def _before(bundles: Path, bundle_id: str) -> DriftCheck | None:
    """The check that the new one replaces; one that cannot be read counts as none."""
    try:
        return read_check(bundles, bundle_id)
    except DataError as error:
        _log.warning("the check before this one: %s", error)
        return None


def _send(check: DriftCheck, settings: NotifySettings) -> None:
    """Send the message to the address in QUORATE_WEBHOOK, if there is one; it waits up to `notify.last_s`."""
    webhook = Webhook.from_environment("drift", settings)
    if webhook is not None:
        webhook.send(drift_message(check))
        webhook.close()
