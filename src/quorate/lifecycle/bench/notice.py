"""Webhook messages about members that are benched, and that return."""

from __future__ import annotations

from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.settings import NotifySettings
from quorate.lifecycle.bench.member_check import BenchCheck
from quorate.trading.webhook import Webhook


def bench_messages(after: BenchCheck, before: BenchCheck | None, time: int) -> list[dict[str, Any]]:
    """A message about each member that was benched or returned since; `text` is one line, as chat programs show it.

    Args:
        after: the bench as it is.
        before: as it was; None before the first.
        time: of the message, ms.
    """
    now = {span.model: span.reason for span in reversed(after.benched)}
    earlier = {} if before is None else {span.model: span.reason for span in reversed(before.benched)}
    moves = [
        ("benched", model, f"{model} is benched: {why}", why) for model, why in now.items() if model not in earlier
    ]
    moves += [("returned", model, f"{model} votes again", "") for model in earlier if model not in now]
    return [
        {"event": event, "text": f"Bundle {after.bundle}: {text}", "time": iso_ms(time), "model": model, "reason": why}
        for event, model, text, why in moves
    ]


def send_bench_notices(after: BenchCheck, before: BenchCheck | None, time: int, settings: NotifySettings) -> None:
    """Send the messages to the address in QUORATE_WEBHOOK, if there is one; arguments as of `bench_messages`.

    It waits for the webhook up to `notify.last_s`; a failing one is logged and changes nothing.

    Raises:
        SettingsError: an invalid address.
    """
    messages = bench_messages(after, before, time)
    webhook = Webhook.from_environment("bench", settings) if messages else None
    if webhook is None:
        return
    for content in messages:
        webhook.send(content)
    webhook.close()
