"""The panel of past bars: recorded replies and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import PanelError, RecordingError
from quorate.core.sections.llm import LLMSettings
from quorate.core.types import Action, Candles, Signal
from quorate.llm.prompts import prompt_of
from quorate.llm.prompts.prompt import version
from quorate.llm.recordings.panel_usage import PanelUsage
from quorate.llm.recordings.recording import Recording, RecordingKey, canonical
from quorate.llm.recordings.store import RecordingStore
from quorate.llm.views import PanelView, RoleAbstention, RoleReply

#: Reason of a role without a recording.
NOT_RECORDED = "no recording"


class RecordedPanel:
    """A source of views that reads recordings; it asks nobody. A missing recording is an abstention.

    A reply of a model that may know what came after the bar is refused or, with `llm.contaminated = "mark"`, used and
    marked. Views are kept, so that several runs over the same bars of one panel read each recording once.

    Args:
        settings: providers, the folder of recordings, and what is done with contaminated ones.

    Attributes:
        usage: what was found so far.
    """

    def __init__(self, settings: LLMSettings) -> None:
        self._providers = settings.providers()
        self._store = RecordingStore(settings.recordings)
        self._mark = settings.contaminated == "mark"
        self._views: dict[tuple[str, str, int], PanelView] = {}
        self.usage = PanelUsage()

    @property
    def digest(self) -> str:
        """Of providers, models, cutoffs and prompts: 16 hexadecimal digits."""
        panel = {
            role: [each.label, each.model, each.cutoff_ms(), version(role)] for role, each in self._providers.items()
        }
        return hashlib.sha256(canonical([panel, self._mark]).encode()).hexdigest()[:16]

    def views(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelView]:
        """The recorded views on the BUY and SELL signals of a close, as of `PanelSource`.

        Raises:
            RecordingError: a recording that is altered, or of a model that may know the bar, where that is refused.
            PanelError: bars after the close.
        """
        return {
            signal.symbol: self.view(close, bars[signal.symbol]) for signal in signals if signal.action != Action.HOLD
        }

    def view(self, close: int, bars: Candles) -> PanelView:
        """The view on one market, as of `views`.

        Args:
            close: ms.
            bars: closed candles of the market up to the close.
        """
        _require_closed(close, bars)
        asked = (bars.symbol, bars.timeframe, close)
        if asked not in self._views:
            found = list(self._found(close, bars))
            for outcome, recording in found:
                self.usage.count(outcome, recording, self._contaminated(recording))
            replies = tuple(outcome for outcome, _ in found if isinstance(outcome, RoleReply))
            abstentions = tuple(outcome for outcome, _ in found if isinstance(outcome, RoleAbstention))
            contaminated = any(self._contaminated(recording) for _, recording in found)
            self._views[asked] = PanelView(replies, abstentions, contaminated)
        return self._views[asked]

    def _found(self, close: int, bars: Candles) -> Iterator[tuple[RoleReply | RoleAbstention, Recording | None]]:
        """The outcome of each role, and its recording."""
        for role, provider in self._providers.items():
            try:
                prompt = prompt_of(role, bars.symbol, bars.timeframe, bars)
            except PanelError as error:  # too few bars, which a live panel does not ask about either
                yield RoleAbstention(role, error.found), None
                continue
            recording = self._store.get(RecordingKey(provider.label, provider.model, prompt.digest, close))
            if recording is None:
                yield RoleAbstention(role, NOT_RECORDED), None
                continue
            if self._contaminated(recording) and not self._mark:
                raise contaminated_error(recording, provider.cutoff_ms())
            yield recording.outcome, recording

    def _contaminated(self, recording: Recording | None) -> bool:
        """Whether a valid reply is from a model that may know what came after the bar."""
        if recording is None or recording.reply is None:
            return False
        return recording.may_know(self._providers[recording.role].cutoff_ms())


def contaminated_error(recording: Recording, cutoff: int | None) -> RecordingError:
    """The error of a recording of a bar that its model may know."""
    stated = [each for each in (recording.cutoff, cutoff) if each is not None]
    reach = (
        f"a model with training data up to {format_ms(max(stated))}" if stated else "a model without a stated cutoff"
    )
    return RecordingError(
        f"use the recorded reply of {recording.role} on {recording.symbol} at {format_ms(recording.key.close)}",
        found=f"{reach} ({recording.key.model}), asked on {format_ms(recording.asked)}",
        expected="a bar that closes at the cutoff or later, or a reply from before the next bar",
        remedy='Choose later bars, or set llm.contaminated = "mark"; every figure is then marked.',
    )


def _require_closed(close: int, bars: Candles) -> None:
    newest = int(bars.time[-1]) + timeframe_ms(bars.timeframe) if len(bars) else 0
    if newest > close:
        raise PanelError(
            f"read the panel's replies on {bars.symbol} at {format_ms(close)}",
            found=f"a bar that closes at {format_ms(newest)}",
            expected="bars that are closed by then",
        )
