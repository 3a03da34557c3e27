"""What a prompt and its reply cost."""

from __future__ import annotations

from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.llm.prompts import Prompt

# Letters of a token: tables of numbers have about 2.5, prose 4. Fewer, so that an estimate is not too low.
_LETTERS = 2
# Tokens that mark the roles of messages.
_AROUND = 50
# Tokens of a reply without a limit.
_UNLIMITED = 4_096

_MILLION = 1_000_000


def cost_usd(provider: ProviderSettings, tokens_in: int, tokens_out: int) -> float:
    """Cost of a prompt and its reply.

    >>> cost_usd(ProviderSettings(usd_per_million_in=0.5, usd_per_million_out=2.0), 1_000, 200)
    0.0009
    """
    return (provider.usd_per_million_in * tokens_in + provider.usd_per_million_out * tokens_out) / _MILLION


def tokens_of(text: str) -> int:
    """Tokens of a text, more rather than fewer than any model counts."""
    return -(-len(text) // _LETTERS)


def prompt_tokens(prompt: Prompt) -> int:
    """Tokens of a prompt, more rather than fewer than any model counts."""
    return _AROUND + sum(tokens_of(message["content"]) for message in prompt.messages)


def most_usd(settings: LLMSettings, provider: ProviderSettings, prompt: Prompt) -> float:
    """The most that one request can cost: the whole prompt, and a reply of as many tokens as are allowed."""
    return cost_usd(provider, prompt_tokens(prompt), settings.reply_tokens or _UNLIMITED)
