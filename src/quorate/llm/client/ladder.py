"""Forms of a request, the strictest first: JSON schema, JSON object, plain prompt."""

from __future__ import annotations

from typing import Any, Final

from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.llm.prompts import Prompt
from quorate.llm.reply import SCHEMA

#: Form -> what asks a server for it. What a reply must be stands in every prompt too.
FORMS: Final[dict[str, dict[str, Any]]] = {
    "schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
    },
    "object": {"response_format": {"type": "json_object"}},
    "plain": {},
}


class FormLadder:
    """The strictest form that each model's server takes, as far as it is known.

    A server that refuses a form is asked in the next one at once, and in that one from then on.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def forms(self, provider: ProviderSettings) -> list[str]:
        """Forms to try, in order."""
        forms = list(FORMS)
        return forms[forms.index(self._known.get((provider.url, provider.model), forms[0])) :]

    def remember(self, provider: ProviderSettings, form: str) -> None:
        """Begin with a form that was answered."""
        self._known[provider.url, provider.model] = form


def body_of(settings: LLMSettings, provider: ProviderSettings, prompt: Prompt, form: str) -> dict[str, Any]:
    """The JSON document of a request."""
    body: dict[str, Any] = {"model": provider.model, "messages": [dict(message) for message in prompt.messages]}
    if settings.temperature >= 0:
        body["temperature"] = settings.temperature
    if settings.reply_tokens:
        body[provider.limit] = settings.reply_tokens
    return body | FORMS[form]
