"""`quorate serve --demo`: the synthetic market of `quorate demo`, replayed bar by bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.serving import Service

# Where `quorate demo` writes by default.
_FOLDER = Path("demo")

# Bars a second: one changes the pages before the next comes.
_SPEED = 1.0


def demo_service(settings: Settings, speed: float | None) -> Service:
    """A service of the demo's bundle with an account that replays the bars after its training span.

    Makes the demo first where there is none. Each start has an account of its own, in the demo's folder.

    Args:
        settings: of the service and the account.
        speed: bars a second; None for one.
    """
    from dataclasses import replace

    from quorate.cli import output
    from quorate.core.clock import iso_ms, now_ms
    from quorate.core.settings import BundleSettings
    from quorate.ensemble.bundle.bundle_store import POINTER
    from quorate.serving.replay import replay_service
    from quorate.workflows.demo import demo
    from quorate.workflows.paper import PaperAccount

    bundles = _FOLDER / "bundles"
    if not (bundles / POINTER).is_file():
        with output.progress() as progress:
            demo(_FOLDER, settings=settings, command=options.command_line(), progress=progress)
    settings = replace(settings, bundle=BundleSettings())  # nobody signs the demo's bundle
    begun = iso_ms(now_ms()).translate({ord("-"): None, ord(":"): None})
    account = PaperAccount(f"demo-{begun}", f"sqlite:///{_FOLDER / 'journal.sqlite'}", settings=settings)
    return replay_service(
        bundles, _FOLDER / "data", account, speed=_SPEED if speed is None else speed, settings=settings
    )
