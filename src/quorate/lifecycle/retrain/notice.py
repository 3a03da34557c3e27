"""Webhook messages about retraining."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.settings import NotifySettings
from quorate.lifecycle.retrain.result import verdict_line
from quorate.lifecycle.retrain.run_log import RetrainRun
from quorate.trading.webhook import Webhook, address_of, url_of


def retraining_message(run: RetrainRun, folder: Path) -> dict[str, Any]:
    """The message about a run that ended; `text` is one line, as chat programs show it."""
    return {
        "event": "retraining_failed" if run.state == "failed" else "retraining",
        "text": f"Retraining of {folder.name}, {verdict_line(run)}",
        "time": iso_ms(run.started if run.ended is None else run.ended),
        "run": run.number,
        "verdict": run.state,
        "reason": run.reason,
        "champion": run.bundle if run.state == "promoted" else run.champion,
        "bundle": run.bundle,
    }


def require_address() -> None:
    """Refuse an invalid address in QUORATE_WEBHOOK before there is anything to tell.

    Raises:
        SettingsError: an invalid address.
    """
    url = url_of()
    if url is not None:
        address_of(url)


def send_notice(run: RetrainRun, folder: Path, settings: NotifySettings) -> None:
    """Send the message about a run to the address in QUORATE_WEBHOOK, if there is one.

    It waits for the webhook up to `notify.last_s`; a failing one is logged and changes nothing.

    Raises:
        SettingsError: an invalid address.
    """
    webhook = Webhook.from_environment("retraining", settings)
    if webhook is None:
        return
    webhook.send(retraining_message(run, folder))
    webhook.close()
