"""Results of finished jobs on disk, from which an interrupted run resumes.

<folder>/<run>/<job>.result, named by hashes: the run's of what does its jobs (data, settings, seeds), the source of
Quorate and the versions of libraries; the job's of its key and what it is given. What differs in any of them is
another run, which finds nothing here. The folder of a run is removed when all its jobs have been taken.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from quorate.core.files import write_atomic
from quorate.core.machine.engines.job import fingerprint
from quorate.core.machine.engines.payload import WorkPickler
from quorate.core.machine.worker import Work
from quorate.core.regular_files import read_regular

_DIGEST_BYTES = 32

_log = logging.getLogger(__name__)


class KeptResults:
    """The finished jobs of one run.

    Args:
        folder: of all runs; created if missing.
        work: does the jobs.
        about: whatever else results depend on, such as the source of a user's own models; it is pickled.
    """

    def __init__(self, folder: Path, work: Work, about: Any = None) -> None:
        self._folder = folder / _digest((work, about, fingerprint())).hex()

    def read(self, key: Any, given: Any) -> tuple[Any] | None:
        """The result of a job, in a tuple; None where it is not kept or its file is incomplete."""
        path = self._path(key, given)
        try:
            content = read_regular(path)
        except OSError:
            return None
        digest, pickled = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(pickled).digest() != digest:
            _log.warning("%s: %s is altered; the job is done again", key, path)
            return None
        return (pickle.loads(pickled),)  # noqa: S301 - written by this program, and whole

    def write(self, key: Any, given: Any, result: Any) -> None:
        """Keep the result of a job.

        Raises:
            DataError: the folder cannot be written.
        """
        pickled = pickle.dumps(result, protocol=5)
        content = hashlib.sha256(pickled).digest() + pickled
        write_atomic(self._path(key, given), lambda temporary: _write(temporary, content))

    def remove(self) -> None:
        """Remove the results, when all have been taken."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # another run has results there
            self._folder.parent.rmdir()

    def _path(self, key: Any, given: Any) -> Path:
        return self._folder / f"{_digest((key, given)).hex()}.result"


class _HashPickler(WorkPickler):
    """Writes sets in order: their own order differs from process to process."""

    def persistent_id(self, content: Any) -> Any:
        return sorted(map(repr, content)) if isinstance(content, set | frozenset) else None


class _Hash(io.RawIOBase):
    """A stream of which only the hash is kept."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.sha256.update(content)
        return memoryview(content).nbytes


def _digest(content: Any) -> bytes:
    stream = _Hash()
    _HashPickler(stream, lambda buffer: stream.sha256.update(buffer.raw())).dump(content)
    return stream.sha256.digest()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
