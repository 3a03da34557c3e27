"""The folder of recorded replies: one file each, named by the SHA-256 of what it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.core.errors import QuorateError, RecordingError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.redaction import redact, redact_known
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.llm.recordings.recording import MOST_RAW, Recording, RecordingKey, canonical
from quorate.llm.views import RoleAbstention, RoleReply

# Limit of a file: the raw text, each of its characters escaped, and as much again for the parsed reply.
_MOST_BYTES = 12 * MOST_RAW + 65_536
_VERSION = 1
_DIGITS = frozenset("0123456789abcdef")
_SUFFIX = ".json"
# Fewest digits of an id that is cut short.
_FEWEST_DIGITS = 6


class RecordingStore:
    """Recorded replies in a folder.

    A file is `ab/abcd....json`, named by the digest of its key; it is written atomically, never changed again, and
    carries the SHA-256 of its content. Any number of processes may write at the same time. Secrets that are known, such
    as keys of providers, are masked in what is written.

    Args:
        folder: created with the first recording.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, key: RecordingKey) -> Path:
        """Where the recording of a key is, or would be."""
        return self._path(key.digest)

    def get(self, key: RecordingKey) -> Recording | None:
        """The recording of a key; None where there is none.

        Raises:
            RecordingError: a file that cannot be read, is truncated or altered, or answers something else.
        """
        return self._read(self._path(key.digest))

    def put(self, recording: Recording) -> Recording:
        """Write a recording, unless its key has one already: the first one stays.

        Returns:
            What the folder holds now: this recording, or the earlier one.

        Raises:
            RecordingError: an earlier file that cannot be read or is altered.
            DataError: the folder cannot be written, or the disk is full.
        """
        path = self.path(recording.key)
        with folder_lock(path.parent, other="recording"):
            earlier = self._read(path)
            if earlier is not None:
                return earlier
            content = _masked(recording).to_json()
            write_text_atomic(path, canonical(_document(content)) + "\n")
        return Recording.from_json(content)

    def ids(self) -> list[str]:
        """Digests of all recordings, sorted; other files of the folder are passed over.

        Raises:
            RecordingError: the folder cannot be read.
        """
        try:
            found = [path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"??/*{_SUFFIX}")]
        except OSError as error:
            raise _unreadable(self.folder, error.strerror or str(error)) from error
        return sorted(name for name in found if len(name) == 64 and set(name) <= _DIGITS)

    def load(self, id_: str) -> Recording:
        """The recording of an id, or of its first digits.

        Raises:
            RecordingError: none or several of that id, or a file that is truncated or altered.
        """
        found = [known for known in self.ids() if known.startswith(id_)] if len(id_) >= _FEWEST_DIGITS else []
        recording = self._read(self._path(found[0])) if len(found) == 1 else None
        if recording is None:
            raise RecordingError(
                f"show the recording {id_[:64]!a}",
                found=f"{len(found)} recordings of that id in {self.folder}" if found else f"none in {self.folder}",
                expected=f"one; at least {_FEWEST_DIGITS} digits of its id",
                remedy="List them with: quorate llm show.",
            )
        return recording

    def read(self) -> Iterator[Recording | RecordingError]:
        """All recordings in the order of their ids; the error in place of one that cannot be read."""
        for id_ in self.ids():
            try:
                recording = self._read(self._path(id_))
            except RecordingError as error:
                yield error
                continue
            if recording is not None:
                yield recording

    def _path(self, id_: str) -> Path:
        return self.folder / id_[:2] / f"{id_}{_SUFFIX}"

    def _read(self, path: Path) -> Recording | None:
        try:
            tree = read_json(path, most_bytes=_MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        except ValueError as error:
            raise _altered(path, str(error)) from error
        try:
            recording = _parsed(tree)
        except MISSHAPEN as error:
            raise _altered(path, str(error)) from error
        except QuorateError as error:
            raise _altered(path, error.found) from error
        if recording.key.digest + _SUFFIX != path.name:
            raise _altered(path, "the recording of another question")
        return recording


def _document(content: dict[str, Any]) -> dict[str, Any]:
    return {"version": _VERSION, "sha256": _sha256(content), "recording": content}


def _parsed(tree: Any) -> Recording:
    content, version = tree["recording"], tree["version"]
    if version != _VERSION:
        raise ValueError(f"version {version!a:.20}")
    if tree["sha256"] != _sha256(content):
        raise ValueError("another SHA-256 than its content has")
    return Recording.from_json(content)


def _sha256(content: Any) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _masked(recording: Recording) -> Recording:
    """The recording without secrets, and without halves of surrogate pairs, which no file can hold."""
    outcome = recording.outcome
    if isinstance(outcome, RoleReply):
        outcome = replace(
            outcome,
            technical_summary=_clean(outcome.technical_summary),
            risk_assessment=_clean(outcome.risk_assessment),
            sentiment=_clean(outcome.sentiment),
            reasoning=_clean(outcome.reasoning),
        )
    else:
        outcome = RoleAbstention(outcome.role, redact(_clean(outcome.reason)))
    return replace(recording, raw=_clean(recording.raw[:MOST_RAW]), outcome=outcome)


def _clean(text: str) -> str:
    return redact_known(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _unreadable(path: Path, found: str) -> RecordingError:
    return RecordingError(f"read the recording {path}", found=found, expected="a regular file that can be read")


def _altered(path: Path, found: str) -> RecordingError:
    return RecordingError(
        f"read the recording {path}",
        found=f"a truncated or altered file: {found}",
        expected="a recording as Quorate wrote it",
        remedy="Restore the file, or delete it and record again: quorate llm record.",
    )
