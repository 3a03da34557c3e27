"""What a recording would ask: the bars on which the bundle acts, without those that are recorded already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from quorate.core.clock import format_ms, iso_ms, timeframe_ms
from quorate.core.errors import PanelError, RecordingError
from quorate.core.progress import Progress, silent
from quorate.core.sections.llm import LLMSettings
from quorate.core.types import Action, Candles, DecisionFrame
from quorate.llm.client import most_usd
from quorate.llm.prompts import Prompt, prompt_of
from quorate.llm.recordings import RecordingKey, RecordingStore, may_know


class PlannedBar(NamedTuple):
    """A bar of a market, and the roles that are asked about it."""

    close: int
    symbol: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What would be asked, and what that can cost.

    Attributes:
        bundle: id of the bundle whose decisions chose the bars.
        timeframe: of the bars.
        start, end: first and last close of the bars, ms; None without bars.
        models: role -> provider and model.
        bars: bars of all markets that were chosen.
        questions: that would be asked, one a bar and role.
        recorded: that are recorded already.
        without_prompt: that cannot be asked: too few bars before them.
        knowable: model -> questions about bars that it may know.
        usd: the most that the questions can cost, with one request each.
    """

    bundle: str
    timeframe: str
    start: int | None
    end: int | None
    models: Mapping[str, str]
    bars: int
    questions: int
    recorded: int
    without_prompt: int
    knowable: Mapping[str, int]
    usd: float

    def to_json(self) -> dict[str, Any]:
        """JSON-safe; times as ISO texts."""
        return {
            "bundle": self.bundle,
            "timeframe": self.timeframe,
            "from": None if self.start is None else iso_ms(self.start),
            "to": None if self.end is None else iso_ms(self.end),
            "models": dict(self.models),
            "bars": self.bars,
            "questions": self.questions,
            "recorded": self.recorded,
            "without_prompt": self.without_prompt,
            "contaminated": dict(self.knowable),
            "most_usd": self.usd,
        }


class RecordingPlanner:
    """Finds the questions of a recording.

    Args:
        settings: providers, prices and the folder of recordings.
        panel: symbol -> candles of the span, and those before it that prompts need.
        now: time at which the questions would be asked, ms.
    """

    def __init__(self, settings: LLMSettings, panel: Mapping[str, Candles], now: int) -> None:
        self._settings, self._panel, self._now = settings, panel, now
        self._providers = settings.providers()
        self._store = RecordingStore(settings.recordings)

    @property
    def timeframe(self) -> str:
        """Of all bars."""
        return next(iter(self._panel.values())).timeframe

    def plan(
        self, bundle: str, frames: Mapping[str, DecisionFrame], *, every_bar: bool, progress: Progress = silent
    ) -> tuple[RecordingPlan, list[PlannedBar]]:
        """The plan, and its bars in the order of their closes.

        Args:
            bundle: id of what decided.
            frames: symbol -> its decisions in the span.
            every_bar: also the bars on which it holds.
            progress: of looking up the recordings.

        Raises:
            RecordingError: a recording that is altered, or questions about bars that a model may know, where these are
                refused.
        """
        chosen = sorted(
            (close, symbol) for symbol, frame in frames.items() for close in _closes(frame, every_bar=every_bar)
        )
        bars: list[PlannedBar] = []
        counts: Counter[str] = Counter()
        knowable: Counter[str] = Counter()
        usd = 0.0
        for number, (close, symbol) in enumerate(chosen, 1):
            roles = []
            for role, provider in self._providers.items():
                prompt = self.prompt(role, symbol, close)
                if prompt is None:
                    counts["without_prompt"] += 1
                elif self._store.get(self.key(role, prompt, close)) is not None:
                    counts["recorded"] += 1
                else:
                    roles.append(role)
                    usd += most_usd(self._settings, provider, prompt)
                    knowable[provider.model] += may_know(close, self.timeframe, self._now, provider.cutoff_ms())
            if roles:
                bars.append(PlannedBar(close, symbol, tuple(roles)))
            progress("looking up recordings", number, len(chosen))
        plan = RecordingPlan(
            bundle,
            timeframe=self.timeframe,
            start=chosen[0][0] if chosen else None,
            end=chosen[-1][0] if chosen else None,
            models={role: f"{each.label} {each.model}" for role, each in self._providers.items()},
            bars=len(chosen),
            questions=sum(len(bar.roles) for bar in bars),
            recorded=counts["recorded"],
            without_prompt=counts["without_prompt"],
            knowable={model: count for model, count in knowable.items() if count},
            usd=usd,
        )
        if plan.knowable and self._settings.contaminated == "refuse":
            raise self._knowable_error(plan, bars)
        return plan, bars

    def prompt(self, role: str, symbol: str, close: int) -> Prompt | None:
        """The prompt of a role about the bar that closes then; None where there are too few bars for one."""
        candles = self._panel[symbol]
        bars = candles.between(end=close - timeframe_ms(candles.timeframe) + 1)
        try:
            return prompt_of(role, symbol, candles.timeframe, bars)
        except PanelError:
            return None

    def key(self, role: str, prompt: Prompt, close: int) -> RecordingKey:
        """Where the reply of a role's provider is recorded."""
        provider = self._providers[role]
        return RecordingKey(provider.label, provider.model, prompt.digest, close)

    def _knowable_error(self, plan: RecordingPlan, bars: Sequence[PlannedBar]) -> RecordingError:
        cutoffs = [provider.cutoff_ms() for provider in self._providers.values()]
        stated = [cutoff for cutoff in cutoffs if cutoff is not None]
        unstated = len(stated) < len(cutoffs)
        expected = "a stated cutoff of each model" if unstated else f"`start` {format_ms(max(stated))} or later"
        count = sum(plan.knowable.values())
        return RecordingError(
            f"record replies on bars from {format_ms(bars[0].close)} on",
            found=f"{count} questions about bars that {', '.join(sorted(plan.knowable))} may know",
            expected=expected,
            remedy='State llm.ROLE.cutoff, choose later bars, or set llm.contaminated = "mark"; every figure is then '
            "marked.",
        )


def _closes(frame: DecisionFrame, *, every_bar: bool) -> list[int]:
    rows = np.ones(len(frame), np.bool_) if every_bar else frame.action != Action.HOLD
    closes: list[int] = (frame.time[rows] + timeframe_ms(frame.timeframe)).tolist()
    return closes
