"""The panel of language models that the settings name, for past and for live bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.core.sections.llm import LLMSettings
    from quorate.core.settings import Settings
    from quorate.llm.judging_panel import JudgingPanel
    from quorate.llm.recordings import RecordedPanel


def recorded_panel(settings: LLMSettings) -> tuple[JudgingPanel, RecordedPanel] | None:
    """The panel of past bars, and its source; None where no role has a provider.

    Args:
        settings: providers, and the folder of recordings.
    """
    if not settings.providers():
        return None
    from quorate.llm.judging_panel import JudgingPanel
    from quorate.llm.recordings import RecordedPanel

    source = RecordedPanel(settings)
    return JudgingPanel(source, settings.without_replies), source


def replay_panel(settings: LLMSettings) -> JudgingPanel | None:
    """The panel of a replay of stored candles, which reads recordings; None where no role has a provider.

    Args:
        settings: providers, and the folder of recordings.
    """
    found = recorded_panel(settings)
    return None if found is None else found[0]


def live_panel(settings: Settings, url: str) -> JudgingPanel | None:
    """The panel of bars that close now, which asks the providers; None where no role has one.

    Args:
        settings: of the panel and the journal.
        url: of the account's journal, whose database keeps costs and failures of the providers.

    Raises:
        JournalError: the database cannot be used.
        MissingExtraError: a library is not installed.
    """
    if not settings.llm.providers():
        return None
    from quorate.llm.judging_panel import JudgingPanel
    from quorate.llm.live_panel import LivePanel

    return JudgingPanel(LivePanel.open(settings.llm, url, settings.journal), settings.llm.without_replies)


def no_provider(attempted: str) -> ArgumentError:
    """The error of something that needs a panel where no role has a provider.

    Args:
        attempted: for the error.
    """
    return ArgumentError(
        attempted,
        found="no provider in the settings",
        expected="an address and a model of at least one role",
        remedy="Set url and model of [llm.technical], [llm.risk] or [llm.sentiment] in quorate.toml; see docs/llm.md.",
    )
