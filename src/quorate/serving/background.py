"""Coroutines that run as long as a service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running(failed: Callable[[str], None], *coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines meanwhile, and cancel them at the end. One that fails is logged; the others go on.

    Args:
        failed: called with what ended, and why.
        coroutines: to run.
    """

    def note(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            coroutine: Any = task.get_coro()
            _log.critical("%s ended: %s", coroutine.__qualname__, error, exc_info=error)
            failed(f"{coroutine.__qualname__} ended: {type(error).__name__}")

    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(note)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
