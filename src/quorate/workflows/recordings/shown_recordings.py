"""The recordings of a folder: a summary, a list, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import RecordingError
from quorate.core.text.plural import counted
from quorate.llm.recordings import Recording, RecordingStore
from quorate.llm.views import RoleReply
from quorate.workflows.inputs.arguments import settings_of
from quorate.workflows.inputs.selection import Selection, span, split_names
from quorate.workflows.results.listing import Lines, Listing

if TYPE_CHECKING:
    from quorate.core.settings import Settings

# Digits of an id that are shown.
_DIGITS = 12


@dataclass(frozen=True, slots=True, repr=False)
class RecordingGroup:
    """Recordings of one model in one role and timeframe.

    Attributes:
        symbols: markets.
        start, end: first and last close, ms.
        replies, abstentions: numbers of them.
        confidence: mean of the replies; None without any.
        usd: cost.
        cutoff: latest one that was recorded, ms; None if none was.
    """

    provider: str
    model: str
    role: str
    timeframe: str
    symbols: tuple[str, ...]
    start: int
    end: int
    replies: int
    abstentions: int
    confidence: float | None
    usd: float
    cutoff: int | None

    @classmethod
    def of(cls, recordings: Sequence[Recording]) -> RecordingGroup:
        """The group of recordings of one model, role and timeframe, at least one."""
        first = recordings[0]
        closes = [each.key.close for each in recordings]
        confidences = [each.reply.confidence for each in recordings if each.reply is not None]
        return cls(
            first.key.provider,
            first.key.model,
            first.role,
            first.timeframe,
            tuple(sorted({each.symbol for each in recordings})),
            min(closes),
            max(closes),
            len(confidences),
            len(recordings) - len(confidences),
            sum(confidences) / len(confidences) if confidences else None,
            sum(each.usd for each in recordings),
            max((each.cutoff for each in recordings if each.cutoff is not None), default=None),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-safe; times as ISO texts."""
        return {
            "provider": self.provider,
            "model": self.model,
            "role": self.role,
            "timeframe": self.timeframe,
            "symbols": list(self.symbols),
            "from": iso_ms(self.start),
            "to": iso_ms(self.end),
            "replies": self.replies,
            "abstentions": self.abstentions,
            "mean_confidence": self.confidence,
            "usd": self.usd,
            "cutoff": None if self.cutoff is None else iso_ms(self.cutoff),
        }


@dataclass(frozen=True, slots=True, repr=False)
class RecordingsSummary(Listing):
    """What a folder of recordings holds.

    Attributes:
        folder: of the recordings.
        groups: by provider, model, role and timeframe.
        errors: of files that are altered or cannot be read.
    """

    folder: str
    groups: tuple[RecordingGroup, ...]
    errors: tuple[RecordingError, ...]

    @property
    def title(self) -> str:
        count = sum(group.replies + group.abstentions for group in self.groups)
        refused = f", {len(self.errors)} refused" if self.errors else ""
        return f"{count} recordings in {self.folder}{refused}"

    @property
    def lines(self) -> Lines:
        columns = ("model", "role", "bars", "replies", "abstentions", "mean confidence", "cost", "span of closes")
        return Lines(columns, tuple(map(_row, self.groups)))

    def to_json(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "folder": self.folder,
            "recordings": sum(group.replies + group.abstentions for group in self.groups),
            "groups": [group.to_json() for group in self.groups],
            "errors": [str(error) for error in self.errors],
        }


@dataclass(frozen=True, slots=True, repr=False)
class RecordingsList(Listing):
    """Single recordings of a folder, oldest bar first; `errors` as of the summary."""

    folder: str
    recordings: tuple[Recording, ...]
    errors: tuple[RecordingError, ...]

    @property
    def title(self) -> str:
        return f"{counted(len(self.recordings), 'recording')} of {self.folder}"

    @property
    def lines(self) -> Lines:
        columns = ("id", "close", "market", "role", "model", "reply")
        return Lines(columns, tuple(map(_line, self.recordings)))

    def to_json(self) -> list[dict[str, Any]]:
        """JSON-safe; each with its id."""
        return [{"id": each.key.digest, **each.to_json()} for each in self.recordings]


def recordings_summary(folder: str | Path | None = None, *, settings: Settings | None = None) -> RecordingsSummary:
    """What a folder of recordings holds. Every file is read and compared with its SHA-256.

    Args:
        folder: of recordings; None for that of the settings.
        settings: None for those of quorate.toml and the environment.
    """
    store, recordings, errors = _read(folder, settings)
    groups = groupby(sorted(recordings, key=_group), key=_group)
    return RecordingsSummary(str(store.folder), tuple(RecordingGroup.of(list(each)) for _, each in groups), errors)


def list_recordings(
    folder: str | Path | None = None, *, settings: Settings | None = None, **selection: Unpack[Selection]
) -> RecordingsList:
    """The recordings of a folder, oldest bar first.

    Args:
        folder: of recordings; None for that of the settings.
        settings: None for those of quorate.toml and the environment.
        **selection: `symbols` and the span of the closes, `start` and `end`; None for all.

    Raises:
        ArgumentError: a selection that cannot be resolved.
    """
    start, end = span(selection)
    symbols = split_names(selection.get("symbols"))
    store, recordings, errors = _read(folder, settings)
    chosen = [
        each
        for each in recordings
        if (not symbols or each.symbol in symbols)
        and (start is None or each.key.close >= start)
        and (end is None or each.key.close < end)
    ]
    chosen.sort(key=lambda each: (each.key.close, each.symbol, each.role, each.key.digest))
    return RecordingsList(str(store.folder), tuple(chosen), errors)


def load_recording(id_: str, folder: str | Path | None = None, *, settings: Settings | None = None) -> Recording:
    """One recording, by its id or the first digits of it.

    Raises:
        RecordingError: none or several of that id, or a file that is truncated or altered.
    """
    return _store(folder, settings).load(id_)


def _store(folder: str | Path | None, settings: Settings | None) -> RecordingStore:
    return RecordingStore(settings_of(settings).llm.recordings if folder is None else folder)


def _read(
    folder: str | Path | None, settings: Settings | None
) -> tuple[RecordingStore, list[Recording], tuple[RecordingError, ...]]:
    store = _store(folder, settings)
    found = list(store.read())
    recordings = [each for each in found if isinstance(each, Recording)]
    return store, recordings, tuple(each for each in found if isinstance(each, RecordingError))


def _group(recording: Recording) -> tuple[str, str, str, str]:
    return recording.key.provider, recording.key.model, recording.role, recording.timeframe


def _row(group: RecordingGroup) -> tuple[str, ...]:
    return (
        f"{group.provider} {group.model}",
        group.role,
        group.timeframe,
        str(group.replies),
        str(group.abstentions),
        "" if group.confidence is None else f"{group.confidence:.3f}",
        f"${group.usd:.4f}",
        f"{format_ms(group.start)} to {format_ms(group.end)}",
    )


def _line(recording: Recording) -> tuple[str, ...]:
    outcome, key = recording.outcome, recording.key
    reply = (
        f"{outcome.direction.name} {outcome.confidence:.2f}"
        if isinstance(outcome, RoleReply)
        else f"abstained: {outcome.reason}"
    )
    return key.digest[:_DIGITS], format_ms(key.close), recording.symbol, recording.role, key.model, reply
