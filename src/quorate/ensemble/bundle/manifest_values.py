"""Checks of a manifest's values: what it says must be possible, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from quorate.core.clock import DAY_MS, format_ms, now_ms, parse_ms, timeframe_ms
from quorate.core.sections.vote import VoteSettings

# No candle is older than the first bitcoin block.
_FIRST_MS = parse_ms("2009-01-03")

_ROUNDING = 1e-6

# Letters of a text that is printed, but for why a member could not be trained.
_LONGEST_TEXT, _LONGEST_REASON = 500, 20_000

_MOST_MEMBERS = 100


@dataclass(frozen=True, slots=True)
class Member:
    """One configured model: names of its files, or why it could not be trained."""

    model: str
    native: str | None = None
    graph: str | None = None
    failure: str | None = None


class ManifestValues(Protocol):
    """The values of a manifest that are checked."""

    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def timeframe(self) -> str: ...
    @property
    def feature_names(self) -> tuple[str, ...]: ...
    @property
    def policy(self) -> VoteSettings: ...
    @property
    def training_start(self) -> int: ...
    @property
    def training_end(self) -> int: ...
    @property
    def fitted_until(self) -> int: ...
    @property
    def used_until(self) -> int: ...
    @property
    def rows(self) -> Mapping[str, int]: ...
    @property
    def class_prior(self) -> tuple[float, ...]: ...
    @property
    def members(self) -> tuple[Member, ...]: ...
    @property
    def versions(self) -> Mapping[str, str]: ...
    @property
    def files(self) -> Mapping[str, str]: ...


def require_possible(manifest: ManifestValues) -> None:
    """Require dates in order and in the past, shares that sum to 1, members with one name each and texts to print.

    Raises:
        ValueError: says what is not possible.
    """
    _require_texts(manifest)
    _require_span(manifest)
    if manifest.class_prior:
        shares = manifest.class_prior
        if not all(math.isfinite(share) and 0 <= share <= 1 for share in shares):
            raise ValueError(f"class shares {list(shares)} outside 0 to 1")
        if abs(sum(shares) - 1) > _ROUNDING:
            raise ValueError(f"class shares that sum to {sum(shares):g} instead of 1")
    models = [member.model for member in manifest.members]
    if not models or len(models) > _MOST_MEMBERS:
        raise ValueError(f"{len(models)} members instead of 1 to {_MOST_MEMBERS}")
    if len(set(models)) < len(models):
        raise ValueError(f"a member twice among {', '.join(models)}")
    for member in manifest.members:
        if (member.graph is None) != (member.native is None):
            raise ValueError(f"one of the two files of the member {member.model}")
    if not manifest.symbols or len(set(manifest.symbols)) < len(manifest.symbols):
        raise ValueError(f"symbols {', '.join(manifest.symbols) or 'none'} instead of different ones")
    negative = [name for name, count in manifest.rows.items() if isinstance(count, bool) or not 0 <= count < 2**53]
    if negative:
        raise ValueError(f"{manifest.rows[negative[0]]} rows of {negative[0]}")


def printable(text: str) -> str:
    """The text, with other letters in place of control characters, and at most 1,000 letters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:1_000])


def _require_span(manifest: ManifestValues) -> None:
    start, end = manifest.training_start, manifest.training_end
    timeframe_ms(manifest.timeframe)
    if not _FIRST_MS <= start < end:
        raise ValueError(
            f"a training span from {format_ms(start)} to {format_ms(end)}, which is not in order or before "
            f"{format_ms(_FIRST_MS)}"
        )
    if not start < manifest.fitted_until <= manifest.used_until <= end:
        raise ValueError(
            f"members fitted until {format_ms(manifest.fitted_until)} and a policy until "
            f"{format_ms(manifest.used_until)}, which are not in order in the training span"
        )
    if end > now_ms() + DAY_MS:
        raise ValueError(f"a training span to {format_ms(end)}, which is in the future")


def _require_texts(manifest: ManifestValues) -> None:
    """Texts are printed: no control characters, which change a terminal, and no excessive length."""
    reasons = [member.failure or "" for member in manifest.members]
    texts: list[Any] = [
        *(manifest.symbols, manifest.timeframe, manifest.feature_names, manifest.files),
        *([member.model, member.native or "", member.graph or ""] for member in manifest.members),
        *(manifest.versions.items(), manifest.policy.weights, manifest.policy.correlation, manifest.rows),
    ]
    flat = [text for each in texts for text in ([each] if isinstance(each, str) else _flatten(each))]
    if any(len(text) > _LONGEST_TEXT for text in flat) or any(len(reason) > _LONGEST_REASON for reason in reasons):
        raise ValueError(f"a text of more than {_LONGEST_TEXT} letters")
    for text in flat:
        if not text.isprintable():
            raise ValueError(f"{text[:40]!r}, which has control characters")
    for reason in reasons:
        if not reason.replace("\n", " ").replace("\t", " ").isprintable():
            raise ValueError(f"{reason[:40]!r}, which has control characters")


def _flatten(values: Any) -> list[str]:
    return [text for value in values for text in ([value] if isinstance(value, str) else value)]
