"""State of an unfinished training, from which the next run resumes: finished members, and checkpoints of networks.

<out>/.unfinished/<fingerprint>/nhits              checkpoint of a network, see networks/training/checkpoint.py
                               /xgboost.finished/  finished member: its files, and member.json with their SHA-256

The fingerprint is a hash of the rows, the settings, the code and the library versions: if any of them has changed,
the training starts anew. The folder is removed when the bundle is published. Those of killed trainings that nobody has
resumed for two weeks are removed by the next training into the same folder of bundles.

A running training holds a lock of its folder, so that it has no second writer and is not taken for a killed one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.files import sync
from quorate.core.folder_lock import folder_lock
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, read_json

FOLDER = ".unfinished"

# Age in s at which the state of a killed training is removed: that of its newest file.
_ABANDONED_S = 14 * DAY_MS / 1000

_OTHER = "training of the same bundle"

_RECORD, _FINISHED, _TEMPORARY = "member.json", ".finished", ".draft"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FittedMember:
    """A trained member.

    Attributes:
        files: file name -> content, the native file first, then the graph.
        metrics: part -> figures.
        seconds: duration of the training.
        direction: how the factor of its move head was fitted; JSON values, None without a head.
    """

    files: Mapping[str, bytes]
    metrics: Mapping[str, Any]
    seconds: float
    direction: Mapping[str, Any] | None = None


class UnfinishedTraining:
    """Folder with the state of one training.

    Args:
        out: folder of bundles.
        fingerprint: hash of everything that the training depends on.
    """

    def __init__(self, out: Path, fingerprint: str) -> None:
        self._out = out
        self.folder = out / FOLDER / fingerprint

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the lock of this training's folder, after removing the folders of killed trainings that were abandoned.

        The kernel releases the lock however the process ends.

        Raises:
            DataError: the same training is running in another process, or the folder cannot be created.
        """
        with ExitStack() as held:
            # Folders are only created, locked and removed under the lock of the folder of bundles: nobody holds the
            # lock of a folder that was removed meanwhile.
            with folder_lock(self._out, other="training"):
                self._sweep()
                held.enter_context(folder_lock(self.folder, wait_s=0, other=_OTHER))
            yield

    def checkpoint(self, model: str) -> Path:
        """Path of a network's checkpoint."""
        return self.folder / model

    def finished(self, model: str) -> FittedMember | None:
        """A member that an interrupted run finished; None if there is none, or its files are incomplete or altered."""
        path = self.folder / f"{model}{_FINISHED}"
        if not path.is_dir():
            return None
        try:
            record = read_json(path / _RECORD)
            files = {name: read_regular(path / name) for name in record["files"]}
            altered = [name for name, content in files.items() if _digest(content) != record["files"][name]]
            fitted = FittedMember(files, dict(record["metrics"]), float(record["seconds"]), record["direction"])
        except (OSError, *MISSHAPEN) as error:
            _log.warning("%s: %s cannot be read (%s); it is trained again", model, path, error)
            return None
        if altered:
            _log.warning("%s: %s is altered; it is trained again", model, path / altered[0])
            return None
        return fitted

    def save(self, model: str, fitted: FittedMember) -> None:
        """Save a finished member atomically. If it cannot be written, a warning is logged and training continues."""
        path, temporary = self.folder / f"{model}{_FINISHED}", self.folder / f"{model}{_TEMPORARY}"
        hashes = {name: _digest(content) for name, content in fitted.files.items()}
        record = {"files": hashes, "metrics": dict(fitted.metrics), "seconds": fitted.seconds}
        record["direction"] = None if fitted.direction is None else dict(fitted.direction)
        try:
            for old in (path, temporary):
                shutil.rmtree(old, ignore_errors=True)
            temporary.mkdir(parents=True)
            for name, content in {**fitted.files, _RECORD: json.dumps(record).encode()}.items():
                (temporary / name).write_bytes(content)
                sync(temporary / name)
            temporary.rename(path)
            sync(self.folder)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            _log.warning("%s: trained, but not saved for a resumed run (%s)", model, error.strerror or error)

    def remove(self) -> None:
        """Remove the state, at the end of the training."""
        with folder_lock(self._out, other="training"):
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):  # another training has state there
                self.folder.parent.rmdir()

    def _sweep(self) -> None:
        """Remove the folders of other trainings that nobody has written to for long, and that no training holds."""
        try:
            others = [path for path in self.folder.parent.iterdir() if path.is_dir() and not path.is_symlink()]
        except OSError:  # there is none
            return
        for path in others:
            if path == self.folder or time.time() - _newest(path) < _ABANDONED_S:
                continue
            with suppress(DataError), folder_lock(path, wait_s=0):  # DataError: it is running
                shutil.rmtree(path, ignore_errors=True)
                _log.info("%s: removed; its training was killed long ago", path)


def _newest(folder: Path) -> float:
    """Time in s of the last change in a folder; now, where a file is changing while it is read."""
    try:
        return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return time.time()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
