"""One recorded reply of a language model, and the key that finds it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from quorate.core.clock import iso_ms, parse_ms, timeframe_ms
from quorate.core.errors import RecordingError
from quorate.core.types import Action
from quorate.llm.views import RoleAbstention, RoleReply

#: Limit of the raw text that is kept of a reply, in characters; the rest of a longer one is left out.
MOST_RAW = 65_536

_TEXTS = ("technical_summary", "risk_assessment", "sentiment", "reasoning")


@dataclass(frozen=True, slots=True)
class RecordingKey:
    """What a reply answers: the same key always finds the same recording.

    Attributes:
        provider: name of the provider, as in `RoleReply`.
        model: name of the model, as the provider calls it.
        prompt: digest of the prompt.
        close: close of the bar that the prompt ends with, ms.
    """

    provider: str
    model: str
    prompt: str
    close: int

    @property
    def digest(self) -> str:
        """SHA-256 of the key, 64 hexadecimal digits: the name of the recording.

        >>> RecordingKey("local", "a", "5f", 0).digest == RecordingKey("local", "a", "5f", 1).digest
        False
        """
        return hashlib.sha256(canonical(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recording:
    """A reply as it was received, and what it was taken for.

    Attributes:
        key: what it answers.
        role: that was asked.
        symbol, timeframe: of the bar.
        raw: text of the reply as received; more than `MOST_RAW` characters are cut off.
        outcome: the valid reply, or the abstention with its reason.
        asked: time of the question, ms; files keep whole seconds.
        cutoff: ms up to which the model's training data reaches, as its authors state; None where they do not.
        tokens_in, tokens_out: of prompt and reply, as the provider counts them.
        usd: cost.

    Raises:
        RecordingError: another role, provider or model in the reply than in the key, or a negative number.
    """

    key: RecordingKey
    role: str
    symbol: str
    timeframe: str
    raw: str
    outcome: RoleReply | RoleAbstention
    asked: int
    cutoff: int | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0

    def __post_init__(self) -> None:
        outcome = self.outcome
        names = [outcome.role]
        if isinstance(outcome, RoleReply):
            names += [outcome.provider, outcome.model]
        if names != [self.role, self.key.provider, self.key.model][: len(names)]:
            self._refuse(f"one of {', '.join(names)}", f"one of {self.role}, {self.key.provider}, {self.key.model}")
        for name in ("tokens_in", "tokens_out", "usd"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                self._refuse(f"{name} {value}", "0 or more")

    def _refuse(self, found: str, expected: str) -> None:
        raise RecordingError(f"record the reply of {self.role}", found=found, expected=expected)

    @property
    def reply(self) -> RoleReply | None:
        """The valid reply; None where the role abstained."""
        return self.outcome if isinstance(self.outcome, RoleReply) else None

    def may_know(self, cutoff: int | None = None) -> bool:
        """Whether the model may know what came after the bar, by the recorded cutoff and the one that is stated now.

        The later of them counts, so that no later setting makes a recording clean.

        Args:
            cutoff: that the settings state now, ms; None where they state none.
        """
        return may_know(self.key.close, self.timeframe, self.asked, self.cutoff, cutoff)

    def to_json(self) -> dict[str, Any]:
        """JSON-safe; times as ISO texts."""
        abstained = self.outcome.reason if isinstance(self.outcome, RoleAbstention) else None
        return {
            "provider": self.key.provider,
            "model": self.key.model,
            "prompt": self.key.prompt,
            "close": iso_ms(self.key.close),
            "role": self.role,
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "cutoff": None if self.cutoff is None else iso_ms(self.cutoff),
            "asked": iso_ms(self.asked),
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "usd": self.usd,
            "reply": None if self.reply is None else self.reply.to_json(),
            "abstained": abstained,
            "raw": self.raw[:MOST_RAW],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_json` made.

        Raises:
            KeyError, TypeError, ValueError, QuorateError: another content.
        """
        texts = {name: _text(tree[name]) for name in ("provider", "model", "prompt", "role", "symbol", "timeframe")}
        close, asked = parse_ms(_text(tree["close"])), parse_ms(_text(tree["asked"]))
        reply, abstained = tree["reply"], tree["abstained"]
        if (reply is None) == (abstained is None):
            raise ValueError("neither a reply nor an abstention, or both")
        role = texts.pop("role")
        key = RecordingKey(texts.pop("provider"), texts.pop("model"), texts.pop("prompt"), close)
        timeframe_ms(texts["timeframe"])
        return cls(
            key,
            role,
            **texts,
            raw=_text(tree["raw"]),
            outcome=_reply(reply) if abstained is None else RoleAbstention(role, _text(abstained)),
            asked=asked,
            cutoff=None if tree["cutoff"] is None else parse_ms(_text(tree["cutoff"])),
            tokens_in=_whole(tree["tokens_in"]),
            tokens_out=_whole(tree["tokens_out"]),
            usd=float(tree["usd"]),
        )


def may_know(close: int, timeframe: str, asked: int, *cutoffs: int | None) -> bool:
    """Whether a model may know what came after a bar.

    One that replied before the next bar closed cannot. Any other may where the bar closes before the latest of its
    cutoffs, and without any cutoff every bar may be known.

    Args:
        close: of the bar, ms.
        timeframe: of the bar.
        asked: time of the question, ms.
        *cutoffs: ms; None where none is stated.

    >>> hour = 3_600_000
    >>> [may_know(24 * hour, "1h", asked * hour, cutoff * hour) for asked, cutoff in ((90, 24), (90, 25), (24, 25))]
    [False, True, False]
    """
    if asked < close + timeframe_ms(timeframe):
        return False
    stated = [cutoff for cutoff in cutoffs if cutoff is not None]
    return not stated or close < max(stated)


def canonical(tree: Any) -> str:
    """The one JSON text of a value: sorted keys, ASCII, no spaces."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _reply(tree: Mapping[str, Any]) -> RoleReply:
    direction = _text(tree["direction"])
    if direction not in Action.__members__:
        raise ValueError(f"the direction {direction[:20]!r}")
    names = {name: _text(tree[name]) for name in ("role", "provider", "model", *_TEXTS)}
    return RoleReply(direction=Action[direction], confidence=tree["confidence"], **names)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} in place of a whole number")
    return value
