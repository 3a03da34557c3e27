"""What an interrupted training leaves for the next one: members that were finished, and checkpoints of those that were
not.

<out>/.unfinished/<fingerprint>/nhits              the checkpoint of a network, see networks/training/checkpoint.py
                               /xgboost.finished/  a finished member: its files, and member.json with their SHA-256

The fingerprint is of the rows, the settings, the code and its libraries: where any of them has changed, nothing of an
earlier run is found. The folder goes when the bundle is published.
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

FOLDER = ".unfinished"

_TOLD, _FINISHED, _DRAFT = "member.json", ".finished", ".draft"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FittedMember:
    """A member after its training.

    Attributes:
        files: file name -> content, its own format first, then the graph.
        metrics: part -> figures.
        seconds: that it took.
    """

    files: Mapping[str, bytes]
    metrics: Mapping[str, Any]
    seconds: float


class UnfinishedTraining:
    """The folder of one training.

    Args:
        out: folder of bundles.
        fingerprint: of all that the training depends on.
    """

    def __init__(self, out: Path, fingerprint: str) -> None:
        self.folder = out / FOLDER / fingerprint

    def checkpoint(self, model: str) -> Path:
        """Where a network keeps its state while it trains."""
        return self.folder / model

    def finished(self, model: str) -> FittedMember | None:
        """A member that an interrupted training had finished; None where there is none, or it is not whole."""
        path = self.folder / f"{model}{_FINISHED}"
        if not path.is_dir():
            return None
        try:
            told = json.loads((path / _TOLD).read_bytes())
            files = {name: (path / name).read_bytes() for name in told["files"]}
            altered = [name for name, content in files.items() if _digest(content) != told["files"][name]]
            fitted = FittedMember(files, dict(told["metrics"]), float(told["seconds"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s: %s cannot be read (%s); it is trained again", model, path, error)
            return None
        if altered:
            _log.warning("%s: %s is not as it was written; it is trained again", model, path / altered[0])
            return None
        return fitted

    def keep(self, model: str, fitted: FittedMember) -> None:
        """Put a finished member by, all of it at once. A disk that is full costs that, not the training."""
        path, draft = self.folder / f"{model}{_FINISHED}", self.folder / f"{model}{_DRAFT}"
        hashes = {name: _digest(content) for name, content in fitted.files.items()}
        told = {"files": hashes, "metrics": dict(fitted.metrics), "seconds": fitted.seconds}
        try:
            for old in (path, draft):
                shutil.rmtree(old, ignore_errors=True)
            draft.mkdir(parents=True)
            for name, content in {**fitted.files, _TOLD: json.dumps(told).encode()}.items():
                (draft / name).write_bytes(content)
                sync(draft / name)
            draft.rename(path)
            sync(self.folder)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            _log.warning("%s: finished, and not kept for another run (%s)", model, error.strerror or error)

    def remove(self) -> None:
        """The training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # another training has something there
            self.folder.parent.rmdir()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
