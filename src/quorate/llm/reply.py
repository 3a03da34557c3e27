"""Replies of language models, checked: whatever a server promises about the form, the text is read as untrusted."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from quorate.core.errors import PanelError
from quorate.core.redaction import redact
from quorate.core.types import Action
from quorate.core.untrusted_json import InvalidJSONError, parse_json
from quorate.llm.views import RoleReply

if TYPE_CHECKING:
    from pydantic import BaseModel

#: Letters of a whole reply, and of each of its texts.
MOST_LETTERS: Final = 16_384
MOST_TEXT: Final = 2_000

_MOST_DEPTH = 4
_SHOWN = 60
_TEXTS = ("technical_summary", "risk_assessment", "sentiment", "reasoning")
# Texts that models write before or around the object: thoughts, and the fence of a block of code.
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?\s*```\Z", re.DOTALL)

#: JSON schema of a reply, for servers that constrain what a model writes. What they return is checked all the same.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "direction": {"type": "string", "enum": [action.name for action in Action]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        **{name: {"type": "string", "maxLength": 400} for name in _TEXTS},
    },
    "required": ["direction", "confidence", *_TEXTS],
    "additionalProperties": False,
}


def parse_reply(text: str, *, role: str, provider: str, model: str) -> RoleReply:
    """A role's reply from what a model wrote.

    Thoughts before the object and a fence around it are dropped; nothing else may surround it. Control characters in
    texts become spaces and secrets are removed, since texts are shown and stored.

    Args:
        text: of the model's message.
        role: that was asked.
        provider: of the model.
        model: as the provider names it.

    Raises:
        PanelError: not one JSON object with exactly the fields of a reply, or a value out of its range.

    >>> parse_reply(
    ...     '{"direction": "BUY", "confidence": 0.7, "technical_summary": "Up.", "risk_assessment": "Low.",'
    ...     ' "sentiment": "Calm.", "reasoning": "Trend."}', role="risk", provider="local", model="m"
    ... ).direction.name
    'BUY'
    """
    if len(text) > MOST_LETTERS:
        raise _refusal(role, f"{len(text)} letters", f"at most {MOST_LETTERS}")
    bare = _THOUGHTS.sub("", text, count=1).strip()
    if fenced := _FENCED.match(bare):
        bare = fenced[1]
    try:
        tree = parse_json(bare, most_depth=_MOST_DEPTH)
    except InvalidJSONError as error:
        found = f"{error} in {bare[:_SHOWN]!a}" if bare else "an empty text"
        raise _refusal(role, found, "one JSON object") from error
    from pydantic import ValidationError

    try:
        reply: Any = _model().model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part)[:_SHOWN] for part in first["loc"]) or "the reply"
        raise _refusal(role, f"{ascii(first['input'])[:_SHOWN]} for {ascii(place)[1:-1]}", first["msg"]) from error
    texts = {name: _clean(getattr(reply, name)) for name in _TEXTS}
    return RoleReply(role, provider, model, Action[reply.direction], reply.confidence, **texts)


@cache
def _model() -> type[BaseModel]:
    """The fields of a reply and their ranges; made on first use, since pydantic takes time to import."""
    from typing import Annotated, Literal

    from pydantic import ConfigDict, Field, create_model

    text = Annotated[str, Field(max_length=MOST_TEXT)]
    fields: dict[str, Any] = {
        "direction": (Literal["SELL", "HOLD", "BUY"], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)], ...),
        **dict.fromkeys(_TEXTS, (text, ...)),
    }
    found: type[BaseModel] = create_model(
        "ReplyFields", __config__=ConfigDict(extra="forbid", strict=True, frozen=True), **fields
    )
    return found


def _clean(text: str) -> str:
    """A text on one line, without control characters and secrets."""
    return redact(" ".join("".join(letter if letter.isprintable() else " " for letter in text).split()))


def _refusal(role: str, found: str, expected: str) -> PanelError:
    return PanelError(f"read the reply of the role {role}", found=found, expected=expected)
