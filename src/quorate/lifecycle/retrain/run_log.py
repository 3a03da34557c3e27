"""Records of the retraining runs of a folder of bundles.

<bundles>/retraining/0001.json    the first run: what it did, what it decided, and why

A record is replaced atomically at the start of each stage, so that a run that was killed says how far it came. Only the
process that holds the lock of the folder `retraining` writes.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from quorate.core.clock import iso_ms, parse_ms
from quorate.core.errors import DataError, QuorateError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.untrusted_json import MISSHAPEN, read_json

FOLDER = "retraining"

#: Of a run: at work or killed; its bundle is champion; its bundle is a challenger; it ended with an error.
RunState = Literal["running", "promoted", "kept", "failed"]

#: In order. A run that continues begins with the stage in which it was killed.
Stage = Literal["candles", "training", "gate", "promotion", "pruning", "end"]
STAGES: tuple[Stage, ...] = get_args(Stage)

_NAME = re.compile(r"([0-9]{4,9})\.json")

# Another process that only looks whether a run is at work holds the lock for an instant.
_WAIT_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetrainRun:
    """One run.

    Attributes:
        number: from 1.
        started, ended: ms UTC by the clock of the run; None until it ends.
        why: what began it.
        champion: id of the bundle that it was held against.
        attempts: how often it was begun: once, and once more after each kill.
        stage: the one at work, or the one in which it ended.
        reason: of the verdict, one sentence; empty until then.
        span: first and last bar of the training, ms, the last excluded; None until they are known.
        bundle: id of the bundle that it trained.
        gate: figures of the gate, JSON values; None until they are known.
        removed: ids of the bundles that it removed.
        planned: time in ms of the next run as it was known at the end; None without a schedule.
    """

    number: int
    started: int
    why: str
    champion: str
    state: RunState = "running"
    stage: Stage = "candles"
    attempts: int = 1
    ended: int | None = None
    reason: str = ""
    span: tuple[int, int] | None = None
    bundle: str | None = None
    gate: Mapping[str, Any] | None = None
    removed: tuple[str, ...] = field(default=())
    planned: int | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON object of the record."""
        return {
            "run": self.number,
            "started": iso_ms(self.started),
            "ended": None if self.ended is None else iso_ms(self.ended),
            "state": self.state,
            "stage": self.stage,
            "attempts": self.attempts,
            "why": self.why,
            "reason": self.reason,
            "champion": self.champion,
            "bundle": self.bundle,
            "span": None if self.span is None else {"from": iso_ms(self.span[0]), "to": iso_ms(self.span[1])},
            "gate": None if self.gate is None else dict(self.gate),
            "removed": list(self.removed),
            "next": None if self.planned is None else iso_ms(self.planned),
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read a record.

        Raises:
            ValueError, KeyError, TypeError: not one.
        """
        if tree["state"] not in get_args(RunState) or tree["stage"] not in STAGES:
            raise ValueError(f"the state {tree['state']!r} in the stage {tree['stage']!r}")
        span, gate = tree["span"], tree["gate"]
        return cls(
            number=int(tree["run"]),
            started=parse_ms(tree["started"]),
            why=str(tree["why"]),
            champion=str(tree["champion"]),
            state=tree["state"],
            stage=tree["stage"],
            attempts=int(tree["attempts"]),
            ended=_moment(tree["ended"]),
            reason=str(tree["reason"]),
            span=None if span is None else (parse_ms(span["from"]), parse_ms(span["to"])),
            bundle=None if tree["bundle"] is None else str(tree["bundle"]),
            gate=None if gate is None else dict(gate),
            removed=tuple(map(str, tree["removed"])),
            planned=_moment(tree["next"]),
        )


class RunLog:
    """The records of one folder of bundles.

    Args:
        bundles: the folder of bundles.
    """

    def __init__(self, bundles: Path) -> None:
        self.folder = bundles / FOLDER

    def runs(self) -> tuple[RetrainRun, ...]:
        """All runs, oldest first. A record that cannot be read is left out, with a warning."""
        found = (_read(number, path) for number, path in sorted(self._paths()))
        return tuple(run for run in found if run is not None)

    def last_ended(self) -> RetrainRun | None:
        """The newest run that has ended; None without one. It reads no more records than it needs."""
        found = (_read(number, path) for number, path in sorted(self._paths(), reverse=True))
        return next((run for run in found if run is not None and run.ended is not None), None)

    def next_number(self) -> int:
        """Number of the next run: one more than that of any file, readable or not."""
        return max((number for number, _ in self._paths()), default=0) + 1

    def write(self, run: RetrainRun) -> RetrainRun:
        """Write a record atomically, and return it.

        Raises:
            DataError: it cannot be written, as on a full disk; an earlier version stays.
        """
        text = json.dumps(run.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_text_atomic(self.folder / f"{run.number:04d}.json", text)
        return run

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the lock of the records: one run at a time. The kernel releases it however the process ends.

        Raises:
            DataError: another run is at work, or the folder cannot be created.
        """
        with folder_lock(self.folder, wait_s=_WAIT_S, other="retraining"):
            yield

    def at_work(self) -> bool:
        """Whether a process is running a retraining now."""
        if not self.folder.is_dir():
            return False
        try:
            with folder_lock(self.folder, wait_s=0):
                return False
        except DataError:
            return True

    def _paths(self) -> list[tuple[int, Path]]:
        if not self.folder.is_dir():
            return []
        named = [(_NAME.fullmatch(path.name), path) for path in self.folder.iterdir()]
        return [(int(match[1]), path) for match, path in named if match is not None]


def _read(number: int, path: Path) -> RetrainRun | None:
    """A record; None where it cannot be read, with a warning."""
    try:
        run = RetrainRun.from_json(read_json(path))
        if run.number != number:
            raise ValueError(f"run {run.number}")
    except (OSError, QuorateError, *MISSHAPEN) as error:
        _log.warning("%s cannot be read, and is left out: %s", path, error)
        return None
    return run


def _moment(text: Any) -> int | None:
    return None if text is None else parse_ms(text)
