"""Check of the panel: every provider answers one prompt about a synthetic market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.workflows.inputs.arguments import settings_of
from quorate.workflows.inputs.panels import no_provider

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.llm.client import Asked

_TIMEFRAME = "1h"
_BARS = 300
_SEED = 1
#: Lengths of bars for which the cost of a day is estimated.
TIMEFRAMES = ("1h", "4h")


@dataclass(frozen=True, slots=True)
class PanelCheck:
    """What each role's provider answered.

    Attributes:
        asked: role -> outcome.
        usd_today: what the panel cost today, this check included.
        usd_per_day: cap of a day.
    """

    asked: dict[str, Asked]
    usd_today: float
    usd_per_day: float

    @property
    def ok(self) -> bool:
        """Whether every role has a valid reply."""
        return all(asked.reply is not None for asked in self.asked.values())

    @property
    def usd_a_bar(self) -> float:
        """Cost of one question to every role, as these cost."""
        return sum(asked.usd for asked in self.asked.values())

    def usd_a_day(self, timeframe: str) -> float:
        """Cost of a day and market if every bar were an entry."""
        return self.usd_a_bar * DAY_MS / timeframe_ms(timeframe)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate llm check --json`."""
        return {
            "ok": self.ok,
            "roles": {
                role: {
                    "provider": asked.provider,
                    "model": asked.model,
                    "reply": None if asked.reply is None else asked.reply.to_json(),
                    "abstained": asked.reason or None,
                    "form": asked.form or None,
                    "requests": asked.requests,
                    "seconds": round(asked.seconds, 3),
                    "tokens_in": asked.tokens_in,
                    "tokens_out": asked.tokens_out,
                    "usd": asked.usd,
                }
                for role, asked in self.asked.items()
            },
            "usd_today": self.usd_today,
            "usd_per_day": self.usd_per_day,
            "usd_a_day_and_market": {timeframe: self.usd_a_day(timeframe) for timeframe in TIMEFRAMES},
        }


def check_panel(url: str | None = None, *, settings: Settings | None = None) -> PanelCheck:
    """Ask the provider of every role once, about a synthetic market; nothing is recorded.

    Providers that rest are asked too: a check is how one finds out whether they answer again.

    Args:
        url: of the journal with the panel's costs; None for that of the settings.
        settings: None for those of quorate.toml and the environment.

    Raises:
        ArgumentError: no role has a provider.
        JournalError: the journal cannot be written.
        MissingExtraError: a library is not installed.
    """
    settings = settings_of(settings)
    panel = settings.llm
    roles = panel.providers()
    if not roles:
        raise no_provider("check the panel of language models")
    from quorate.llm.client import PanelClient, PanelLedger, Question
    from quorate.llm.prompts import prompt_of
    from quorate.market.synthetic import SyntheticMarket

    market = SyntheticMarket(seed=_SEED, symbols=1, bars=_BARS, timeframe=_TIMEFRAME)
    (symbol,) = market.names
    bars = market.panel()[symbol]
    ledger = PanelLedger.open(
        url or settings.journal.url,
        settings.journal,
        usd_per_day=panel.usd_per_day,
        failures=panel.failures,
        rest_s=panel.rest_s,
    )
    ledger.wake({provider.label for provider in roles.values()})
    questions = [Question(role, prompt_of(role, symbol, _TIMEFRAME, bars)) for role in roles]
    asked = PanelClient(panel, ledger).ask(questions)
    usd = sum(spent.usd for spent in ledger.spent())
    return PanelCheck({one.question.role: one for one in asked}, usd, panel.usd_per_day)
