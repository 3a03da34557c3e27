"""The client of a panel: asks the providers of all roles at the same time, and always comes back in time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from time import monotonic
from typing import TYPE_CHECKING

from quorate.core.errors import JournalError, MissingExtraError, PanelError, QuorateError
from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.llm.client.asked import Asked, Question
from quorate.llm.client.bookings import Booking, NotNow
from quorate.llm.client.exchange import Answer, Failure, exchange
from quorate.llm.client.ladder import FormLadder, body_of
from quorate.llm.client.ledger import PanelLedger
from quorate.llm.client.prices import cost_usd, most_usd, prompt_tokens, tokens_of
from quorate.llm.client.provider_key import key_of
from quorate.llm.reply import parse_reply

if TYPE_CHECKING:
    from httpx2 import AsyncClient

#: What is called with the place of a question and its outcome.
Arrived = Callable[[int, Asked], None]

_log = logging.getLogger(__name__)

# Added to the deadline of a close before the thread that asks is left to itself: the ledger waits for other processes.
_GRACE_S = 15.0


@dataclass(slots=True)
class _Course:
    """What a question has cost so far."""

    usd: float = 0.0
    requests: int = 0
    form: str = ""
    # Cost of a request in progress, which is spent if it is given up.
    open_usd: float = 0.0


class PanelClient:
    """Asks providers, within the limits of the settings and of the ledger. Failures are outcomes, not errors.

    Args:
        settings: of the panel.
        ledger: permits each prompt, and takes its cost.
        environment: variables with keys; those of the process where None.

    Raises:
        MissingExtraError: httpx2 is not installed.
    """

    def __init__(
        self, settings: LLMSettings, ledger: PanelLedger, environment: Mapping[str, str] | None = None
    ) -> None:
        try:
            import httpx2
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "ask the panel of language models", found=str(error), remedy="Run: pip install 'quorate[llm]'"
            ) from error
        self._settings = settings
        self._ledger = ledger
        self._environment = environment
        self._ladder = FormLadder()
        # Certificates are read once, which takes longer than a request, and not at all for local servers: an empty
        # context trusts nobody.
        secure = any(each.url.startswith("https") for each in settings.providers().values())
        self._tls = httpx2.create_ssl_context() if secure else SSLContext(PROTOCOL_TLS_CLIENT)

    def ask(self, questions: Sequence[Question], arrived: Arrived | None = None) -> list[Asked]:
        """Ask all questions, as many at the same time as the settings allow; outcomes in the order of the questions.

        It asks on a thread of its own, so that programs with an event loop can call it, and so that a name server that
        does not answer cannot delay the caller.

        Args:
            questions: to ask.
            arrived: called on that thread with the place of a question and its outcome, as soon as it is there; not for
                questions that have none in time. An error of it is raised here.
        """
        providers = self._settings.providers()
        found: dict[int, Asked] = {}
        done = threading.Event()
        errors: list[QuorateError] = []

        def work() -> None:
            try:
                asyncio.run(self._ask_all(questions, found, done, arrived))
            except QuorateError as error:
                errors.append(error)
            finally:
                done.set()

        if questions:
            threading.Thread(target=work, name="quorate-panel", daemon=True).start()
            done.wait(self._settings.close_s + self._settings.timeout_s + _GRACE_S)
        if errors:
            raise errors[0]
        outcomes = []
        for number, question in enumerate(questions):
            provider = providers.get(question.role, ProviderSettings())
            missing = Asked(question, provider.label, provider.model, reason="no answer in time")
            outcomes.append(found.get(number, missing))
        return outcomes

    async def _ask_all(
        self, questions: Sequence[Question], found: dict[int, Asked], done: threading.Event, arrived: Arrived | None
    ) -> None:
        from httpx2 import AsyncClient, Limits

        turns = asyncio.Semaphore(self._settings.parallel)
        end = monotonic() + self._settings.close_s

        async def ask(http: AsyncClient, number: int, question: Question) -> None:
            async with turns:
                found[number] = await self._ask_one(http, question, end - monotonic())
                if arrived is not None:
                    arrived(number, found[number])

        # No timeouts of its own: they are of single reads, and a slow drip stays below each of them.
        limits = Limits(max_connections=self._settings.parallel)
        async with AsyncClient(timeout=None, limits=limits, verify=self._tls) as http:
            await asyncio.gather(*(ask(http, number, question) for number, question in enumerate(questions)))
        done.set()

    async def _ask_one(self, http: AsyncClient, question: Question, left_s: float) -> Asked:
        """Ask one question: with permission of the ledger, and until the deadline."""
        settings = self._settings
        provider = settings.providers().get(question.role)
        if provider is None:
            return Asked(question, "", "", reason=f"no provider for the role {question.role}")
        asked = Asked(question, provider.label, provider.model)
        if left_s <= 0:
            return replace(asked, reason=f"not asked within the {settings.close_s:g} s of a close")
        most = most_usd(settings, provider, question.prompt) * (1 + settings.retries)
        try:
            key = key_of(provider, self._environment)
            booking = await asyncio.to_thread(self._ledger.admit, provider.label, provider.model, most)
        except QuorateError as error:
            return replace(asked, reason=str(error))
        if isinstance(booking, NotNow):
            return replace(asked, reason=booking.reason)
        course, started = _Course(), monotonic()
        limit_s = min(settings.timeout_s, left_s)
        try:
            async with asyncio.timeout(limit_s):
                outcome = await self._try(http, question, provider, key, course, started + limit_s)
        except TimeoutError:
            course.usd += course.open_usd
            outcome = Failure("busy", f"no answer within {limit_s:.3g} s", free=False)
        seconds = monotonic() - started
        await asyncio.to_thread(self._settle, booking, course.usd, outcome)
        asked = replace(asked, usd=course.usd, seconds=seconds, requests=course.requests, form=course.form)
        if isinstance(outcome, Failure):
            return replace(asked, reason=outcome.reason)
        asked = replace(asked, tokens_in=outcome.tokens_in or 0, tokens_out=outcome.tokens_out or 0)
        return self._read(replace(asked, content=outcome.content), outcome)

    async def _try(
        self,
        http: AsyncClient,
        question: Question,
        provider: ProviderSettings,
        key: str | None,
        course: _Course,
        end: float,
    ) -> Answer | Failure:
        """Ask down the ladder, and again where that may help and there is time."""
        forms, retries = self._ladder.forms(provider), self._settings.retries
        while True:
            body = body_of(self._settings, provider, question.prompt, forms[0])
            course.open_usd = most_usd(self._settings, provider, question.prompt)
            course.requests += 1
            outcome = await exchange(http, provider.url, key, body, self._settings.answer_bytes)
            course.usd += _spent(provider, question, outcome, course.open_usd)
            course.open_usd = 0.0
            if isinstance(outcome, Answer):
                course.form = forms[0]
                self._ladder.remember(provider, forms[0])
                return outcome
            if outcome.kind == "format" and len(forms) > 1:
                forms = forms[1:]
                continue
            pause = self._settings.retry_pause_s if outcome.after_s is None else outcome.after_s
            if outcome.kind != "busy" or retries < 1:
                return outcome
            if monotonic() + pause >= end:
                return outcome._replace(reason=f"{outcome.reason}; no time to ask again in {pause:g} s")
            retries -= 1
            await asyncio.sleep(pause)

    def _settle(self, booking: Booking, usd: float, outcome: Answer | Failure) -> None:
        try:
            self._ledger.settle(booking, usd, outcome.reason if isinstance(outcome, Failure) else None)
        except JournalError as error:
            # The reply is valid; its highest cost stays booked.
            _log.warning("%s", error)

    def _read(self, asked: Asked, answer: Answer) -> Asked:
        try:
            reply = parse_reply(answer.content, role=asked.question.role, provider=asked.provider, model=asked.model)
        except PanelError as error:
            cut = f"The reply was cut at {self._settings.reply_tokens} tokens: " if answer.cut else ""
            return replace(asked, reason=f"{cut}{error}")
        return replace(asked, reply=reply)


def _spent(provider: ProviderSettings, question: Question, outcome: Answer | Failure, most: float) -> float:
    """Cost of a request: as the provider counts, else at most what it can be."""
    if isinstance(outcome, Failure):
        return 0.0 if outcome.free else most
    tokens_in = prompt_tokens(question.prompt) if outcome.tokens_in is None else outcome.tokens_in
    tokens_out = tokens_of(outcome.content) if outcome.tokens_out is None else outcome.tokens_out
    return cost_usd(provider, tokens_in, tokens_out)
