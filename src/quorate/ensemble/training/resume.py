"""State of an unfinished training, from which the next run resumes: finished members, and checkpoints of networks.

<out>/.unfinished/<fingerprint>/nhits              checkpoint of a network, see networks/training/checkpoint.py
                               /xgboost.finished/  finished member: its files, and member.json with their SHA-256

The fingerprint is a hash of the rows, the settings, the code and the library versions: if any of them has changed,
the training starts anew. The folder is removed when the bundle is published.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.files import sync
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, read_json

FOLDER = ".unfinished"

_RECORD, _FINISHED, _TEMPORARY = "member.json", ".finished", ".draft"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FittedMember:
    """A trained member.

    Attributes:
        files: file name -> content, the native file first, then the graph.
        metrics: part -> figures.
        seconds: duration of the training.
    """

    files: Mapping[str, bytes]
    metrics: Mapping[str, Any]
    seconds: float


class UnfinishedTraining:
    """Folder with the state of one training.

    Args:
        out: folder of bundles.
        fingerprint: hash of everything that the training depends on.
    """

    def __init__(self, out: Path, fingerprint: str) -> None:
        self.folder = out / FOLDER / fingerprint

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
            fitted = FittedMember(files, dict(record["metrics"]), float(record["seconds"]))
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
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # another training has state there
            self.folder.parent.rmdir()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
