"""Asking the questions of a plan, within a cap, and recording each reply as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from quorate.core.clock import now_ms
from quorate.core.progress import Progress
from quorate.llm.client import Question, most_usd
from quorate.llm.recordings import Recording, RecordingStore
from quorate.llm.views import RoleAbstention
from quorate.workflows.recordings.recording_plan import PlannedBar, RecordingPlanner

if TYPE_CHECKING:
    from quorate.core.sections.llm import LLMSettings
    from quorate.llm.client import Asked, PanelClient


class _Pending(NamedTuple):
    """A question, what it is about, and the most that it can cost."""

    bar: PlannedBar
    question: Question
    usd: float


class Asking:
    """Asks questions and records the replies; `stopped` says why it ended before the last one.

    As many questions as the settings allow are asked at the same time. Each reply is written as soon as it is there, so
    that a process that is killed loses none that has come.

    Args:
        client: of the panel.
        planner: that made the plan.
        settings: of the panel.
        cap_usd: of the cost of the run.
    """

    def __init__(self, client: PanelClient, planner: RecordingPlanner, settings: LLMSettings, cap_usd: float) -> None:
        self._client, self._planner, self._settings, self._cap = client, planner, settings, cap_usd
        self._providers = settings.providers()
        self._store = RecordingStore(settings.recordings)
        self.replies = 0
        self.abstentions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.usd = 0.0
        self.stopped: str | None = None

    def ask(self, bars: Sequence[PlannedBar], progress: Progress) -> None:
        """Ask about all bars, until the cap is reached or a question is refused unasked.

        Raises:
            RecordingError, DataError: a reply cannot be recorded.
        """
        total = sum(len(bar.roles) for bar in bars)
        done = 0
        waiting = self._pending(bars)
        while batch := list(islice(waiting, self._settings.parallel)):
            for group in self._affordable(batch):
                self._ask(group)
                done += len(group)
                progress("asking", done, total)
            if self.stopped is not None:
                return

    def _ask(self, group: Sequence[_Pending]) -> None:
        asked_at, recorded = now_ms(), set[int]()

        def arrived(number: int, outcome: Asked) -> None:
            recorded.add(number)
            self._record(group[number].bar, outcome, asked_at)

        outcomes = self._client.ask([each.question for each in group], arrived)
        for number, outcome in enumerate(outcomes):
            if number not in recorded:
                self._record(group[number].bar, outcome, asked_at)

    def _pending(self, bars: Sequence[PlannedBar]) -> Iterator[_Pending]:
        for bar in bars:
            for role in bar.roles:
                prompt = self._planner.prompt(role, bar.symbol, bar.close)
                if prompt is not None:
                    most = most_usd(self._settings, self._providers[role], prompt) * (1 + self._settings.retries)
                    yield _Pending(bar, Question(role, prompt), most)

    def _affordable(self, batch: Sequence[_Pending]) -> Iterator[list[_Pending]]:
        """The questions in groups, each of which is sure to stay below the cap with what was spent before."""
        rest = list(batch)
        while rest and self.stopped is None:
            group: list[_Pending] = []
            while rest and self.usd + sum(each.usd for each in group) + rest[0].usd <= self._cap:
                group.append(rest.pop(0))
            if group:
                yield group
            else:
                self.stopped = (
                    f"the cap of ${self._cap:g}: ${self.usd:.6f} are spent, and the next question can cost "
                    f"${rest[0].usd:.6f}"
                )

    def _record(self, bar: PlannedBar, asked: Asked, asked_at: int) -> None:
        self.usd += asked.usd
        question = asked.question
        if asked.reply is None and not asked.form:
            self.failures[asked.reason] += 1
            if not asked.requests:
                # The cap of a day, a provider that rests, a missing key: the next question would fare no better.
                self.stopped = asked.reason
            return
        provider = self._providers[question.role]
        self._store.put(
            Recording(
                self._planner.key(question.role, question.prompt, bar.close),
                question.role,
                bar.symbol,
                self._planner.timeframe,
                asked.content,
                RoleAbstention(question.role, asked.reason) if asked.reply is None else asked.reply,
                asked_at,
                provider.cutoff_ms(),
                tokens_in=asked.tokens_in,
                tokens_out=asked.tokens_out,
                usd=asked.usd,
            )
        )
        if asked.reply is None:
            self.abstentions[asked.reason] += 1
        else:
            self.replies += 1
