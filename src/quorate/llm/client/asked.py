"""What is asked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.llm.prompts import Prompt
from quorate.llm.views import RoleReply


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt for the provider of a role."""

    role: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Asked:
    """The outcome of a question.

    Attributes:
        question: that was asked.
        provider, model: that were asked.
        reply: if it is valid; None for an abstention.
        reason: of the abstention; empty for a reply.
        content: what the model wrote, without secrets; empty without an answer.
        form: rung of the ladder that was answered: schema, object or plain; empty without an answer.
        tokens_in, tokens_out: of prompt and reply, as the provider counts; 0 where it does not say.
        usd: cost as the provider counts tokens, or the most it can be where it does not say; 0 where it was not asked.
        seconds: from the first request to the end of the last.
        requests: that were sent.
    """

    question: Question
    provider: str
    model: str
    reply: RoleReply | None = None
    reason: str = ""
    content: str = ""
    form: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    requests: int = 0
