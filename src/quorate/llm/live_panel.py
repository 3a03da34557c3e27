"""The panel of bars that close now: providers are asked, and what they reply is recorded."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import DataError, PanelError, RecordingError
from quorate.core.sections.llm import LLMSettings
from quorate.core.settings import JournalSettings
from quorate.core.types import Action, Candles, Signal
from quorate.llm.client import Asked, PanelClient, Question
from quorate.llm.client.ledger import PanelLedger
from quorate.llm.prompts import prompt_of
from quorate.llm.prompts.prompt import version
from quorate.llm.recordings import Recording, RecordingKey, RecordingStore
from quorate.llm.recordings.recording import canonical
from quorate.llm.views import PanelView, RoleAbstention, RoleReply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A question about one market."""

    symbol: str
    timeframe: str
    key: RecordingKey
    question: Question


class LivePanel:
    """A source of views that asks the providers of all roles at the same time. A failure is an abstention.

    Replies are recorded and found again by model, prompt and bar: nothing is asked twice, by this or by another process
    that uses the folder. Providers that did not answer are asked again when the same bar is asked about again.

    Args:
        settings: providers, limits, and the folder of recordings.
        client: that asks.
    """

    def __init__(self, settings: LLMSettings, client: PanelClient) -> None:
        self._settings = settings
        self._providers = settings.providers()
        self._client = client
        self._store = RecordingStore(settings.recordings)

    @classmethod
    def open(cls, settings: LLMSettings, url: str, journal: JournalSettings | None = None) -> Self:
        """The panel whose costs and failures are in a journal's database, created where it is missing.

        Args:
            settings: of the panel; at least one role has a provider.
            url: of the journal, as `Journal.open` takes it.
            journal: timeouts of the journal; its URL is not used.

        Raises:
            JournalError: the database cannot be used.
            MissingExtraError: a library is not installed.
        """
        ledger = PanelLedger.open(
            url,
            journal,
            usd_per_day=settings.usd_per_day,
            failures=settings.failures,
            rest_s=settings.rest_s,
        )
        return cls(settings, PanelClient(settings, ledger))

    @property
    def digest(self) -> str:
        """Of providers, models and prompts: 16 hexadecimal digits."""
        panel = {
            role: [each.label, each.model, version(role), self._settings.temperature]
            for role, each in self._providers.items()
        }
        return hashlib.sha256(canonical(["live", panel]).encode()).hexdigest()[:16]

    def views(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelView]:
        """The views on the BUY and SELL signals of a close, as of `PanelSource`.

        It returns within `llm.close_s`, and the time of one answer more for prompts that began just before.

        Raises:
            PanelError: bars after the close.
        """
        entries = [signal.symbol for signal in signals if signal.action != Action.HOLD]
        found: dict[tuple[str, str], RoleReply | RoleAbstention] = {}
        contaminated: set[str] = set()
        waiting: list[_Waiting] = []
        for symbol in entries:
            for role in self._providers:
                begun = self._begin(role, close, bars[symbol])
                if isinstance(begun, _Waiting):
                    waiting.append(begun)
                elif isinstance(begun, Recording):
                    found[symbol, role] = begun.outcome
                    contaminated |= {symbol} if self._may_know(begun) else set()
                else:
                    found[symbol, role] = begun
        for one, asked in zip(waiting, self._client.ask([one.question for one in waiting]), strict=True):
            outcome = asked.reply or RoleAbstention(one.question.role, asked.reason)
            found[one.symbol, one.question.role] = outcome
            if asked.content and self._may_know(self._record(one, asked, outcome)):
                contaminated.add(one.symbol)
        views = {}
        for symbol in entries:
            outcomes = [found[symbol, role] for role in self._providers]
            replies = tuple(outcome for outcome in outcomes if isinstance(outcome, RoleReply))
            abstentions = tuple(outcome for outcome in outcomes if isinstance(outcome, RoleAbstention))
            views[symbol] = PanelView(replies, abstentions, symbol in contaminated)
        return views

    def _begin(self, role: str, close: int, bars: Candles) -> _Waiting | Recording | RoleAbstention:
        """The recorded outcome of a role, or the question to ask."""
        newest = int(bars.time[-1]) + timeframe_ms(bars.timeframe) if len(bars) else 0
        if newest > close:
            raise PanelError(
                f"ask the panel about {bars.symbol} at {format_ms(close)}",
                found=f"a bar that closes at {format_ms(newest)}",
                expected="bars that are closed by then",
            )
        try:
            prompt = prompt_of(role, bars.symbol, bars.timeframe, bars)
        except PanelError as error:
            return RoleAbstention(role, error.found)
        provider = self._providers[role]
        key = RecordingKey(provider.label, provider.model, prompt.digest, close)
        try:
            recorded = self._store.get(key)
        except RecordingError as error:
            _log.warning("%s It is asked again.", error)
            recorded = None
        return recorded or _Waiting(bars.symbol, bars.timeframe, key, Question(role, prompt))

    def _record(self, one: _Waiting, asked: Asked, outcome: RoleReply | RoleAbstention) -> Recording:
        recording = Recording(
            key=one.key,
            role=one.question.role,
            symbol=one.symbol,
            timeframe=one.timeframe,
            raw=asked.content,
            outcome=outcome,
            asked=now_ms(),
            cutoff=self._providers[one.question.role].cutoff_ms(),
            tokens_in=asked.tokens_in,
            tokens_out=asked.tokens_out,
            usd=asked.usd,
        )
        try:
            self._store.put(recording)
        except DataError as error:
            _log.warning("%s The reply counts all the same.", error)
        return recording

    def _may_know(self, recording: Recording) -> bool:
        return recording.reply is not None and recording.may_know(self._providers[recording.role].cutoff_ms())
