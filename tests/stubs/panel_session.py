"""A paper session whose entries a panel judges that asks a server of chat completions.

Run: python -m stubs.panel_session JOURNAL_URL RECORDINGS SERVER_URL USD_PER_DAY; prints a line for each judged entry.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from quorate.core.settings import LLMSettings, ProviderSettings
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.live_panel import LivePanel
from quorate.trading.journal import Journal, Record, records
from stubs.scripted import World, make_world

SEED, BARS, FEW_BARS = 11, 190, 140
#: Dollars of a reply, as the server counts tokens.
REPLY_USD = 0.02


def judged_world(
    url: str, recordings: Path, server: str, models: dict[str, str], bars: int = BARS, **settings: object
) -> World:
    """A world in which a panel of these models judges entries; role -> model."""
    world = make_world(SEED, symbols=3, bars=bars)
    # Prompts need 97 bars; a few entries come before that.
    world.start = int(next(iter(world.candles.values())).time[85])
    providers = {
        role: ProviderSettings(server, model, name=model, usd_per_million_in=10.0, usd_per_million_out=100.0)
        for role, model in models.items()
    }
    options = {"timeout_s": 1.0, "retry_pause_s": 0.0, "retries": 0, "reply_tokens": 1_000, **settings}
    panel = LLMSettings(**providers, recordings=str(recordings), **options)  # type: ignore[arg-type]
    world.config = replace(world.config, panel=JudgingPanel(LivePanel.open(panel, url)))
    return world


def main(url: str, recordings: str, server: str, usd: str) -> None:
    """Trade to the end of the data."""
    world = judged_world(url, Path(recordings), server, {"technical": "good"}, FEW_BARS, usd_per_day=float(usd))

    def show(record: Record) -> None:
        if isinstance(record, records.PanelRecord):
            sys.stdout.write(f"{record.symbol} {record.strength}\n")
            sys.stdout.flush()

    with Journal.open(url, "paper") as journal:
        world.session(journal, listener=show).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
