"""The panel of language models on the entries of Freqtrade's frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quorate.integrations.freqtrade.inference.forecaster import FrameForecast
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX, TAG_LENGTH
from quorate.integrations.freqtrade.strategy_options import StrategyOptions

if TYPE_CHECKING:
    from quorate.llm.judging_panel import JudgingPanel

#: Entries of this strength say so at the beginning of their tag.
TAGGED = "VERY_STRONG"

_SQLITE = "sqlite:///"


class EntryJudge:
    """Judgements of the entries of each pair's newest frame.

    A dry or live bot asks the providers about the newest closed bar; on earlier bars it enters nothing. Elsewhere
    recordings are read, and every entry of the frame is judged.

    Args:
        panel: that judges.
        live: whether the bot trades, dry or live.
    """

    def __init__(self, panel: JudgingPanel, *, live: bool) -> None:
        self._panel, self._live = panel, live
        self._judged: dict[str, dict[int, tuple[str, float]]] = {}

    def columns(self, pair: str, forecast: FrameForecast | None) -> dict[str, npt.NDArray[Any]]:
        """Judge the entries of a pair's frame.

        Args:
            pair: Freqtrade's name.
            forecast: of its newest frame; None without decisions, so that nothing is judged.

        Returns:
            name -> (rows of the frame,): `quorate_panel`, the strength, empty where nothing was judged;
            `quorate_panel_share` of the ordinary stake, 0 where nothing was judged.

        Raises:
            RecordingError: a recording that is altered, or of a model that may know the bar, where that is refused.
        """
        from quorate.llm.panel_frame import panel_frames
        from quorate.llm.strength import Strength

        if forecast is None or not len(forecast.decisions):
            self._judged.pop(pair, None)
            return {}
        decisions = forecast.decisions
        start = int(decisions.time[-1]) if self._live else None
        found = panel_frames(self._panel, {pair: decisions}, {pair: forecast.candles}, start)[pair]
        names = [Strength(value).name for value in found.strength.tolist()]
        shares = found.share[found.row]
        times = decisions.time[found.row].tolist()
        self._judged[pair] = dict(zip(times, zip(names, shares.tolist(), strict=True), strict=True))
        strength, share = np.full(forecast.length, "", dtype=object), np.zeros(forecast.length)
        rows = forecast.rows[found.row]
        strength[rows], share[rows] = names, shares
        return {f"{PREFIX}panel": strength, f"{PREFIX}panel_share": share}

    def share(self, pair: str, time: int) -> float:
        """Share of the ordinary stake of an entry decided on the bar that opens at `time` (ms); 0 where not judged."""
        return self._judged.get(pair, {}).get(time, ("", 0.0))[1]


def judged_tags(tags: Sequence[str], strength: npt.NDArray[Any], share: npt.NDArray[Any]) -> list[str]:
    """Tags of judged entries: those of very strong ones begin with it, those without a share are empty.

    Args:
        tags: of the n rows of a frame; empty without an entry.
        strength: (n,) names.
        share: (n,) of the ordinary stake.

    >>> judged_tags(["strong | a", "strong | b", "c", ""], np.array([TAGGED, "MODERATE", "WEAK", ""]), np.arange(4) < 2)
    ['VERY_STRONG | strong | a', 'strong | b', '', '']
    """
    return [
        "" if not left else f"{TAGGED} | {tag}"[:TAG_LENGTH] if name == TAGGED and tag else tag
        for tag, name, left in zip(tags, strength.tolist(), share.tolist(), strict=True)
    ]


def entry_judge(options: StrategyOptions) -> EntryJudge | None:
    """The judge that the section [llm] of the settings names; None where no role has a provider.

    Args:
        options: of the strategy; relative paths of the settings start at user_data.

    Raises:
        JournalError: the database of the journal, which has the providers' costs, cannot be used by a bot that trades.
        MissingExtraError: such a bot lacks a library.
    """
    settings = options.settings
    if not settings.llm.providers():
        return None
    from quorate.workflows.inputs.panels import live_panel, replay_panel

    llm = replace(settings.llm, recordings=str(options.path(settings.llm.recordings)))
    url = settings.journal.url
    if url.startswith(_SQLITE):
        url = _SQLITE + str(options.path(url.removeprefix(_SQLITE)))
    panel = live_panel(replace(settings, llm=llm), url) if options.live else replay_panel(llm)
    return None if panel is None else EntryJudge(panel, live=options.live)
