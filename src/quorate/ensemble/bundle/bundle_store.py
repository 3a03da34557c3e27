"""A folder of bundles, one of which is the champion.

<folder>/<id>/           a bundle, see bundle_files.py; never changed
         champion        pointer: the id of the champion, one line of text
         history.jsonl   log of publications and changes of champion, see champion_log.py

Readers need no lock: a bundle and the pointer are each written atomically. Writers hold a lock on the folder.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quorate.core.arguments import FLAG, MAPPING, TEXT, Kind, path_of, require_types
from quorate.core.clock import iso_ms, now_ms
from quorate.core.errors import BundleError, DataError, MissingExtraError, close_match
from quorate.core.files import write_text_atomic
from quorate.core.regular_files import open_to_lock, read_regular
from quorate.core.sections.bundle import BundleSettings
from quorate.core.untrusted_json import MOST_BYTES
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.champion_log import (
    ChampionLogEntry,
    LogAction,
    append_entry,
    champion_lineage,
    read_history,
)
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest
from quorate.ensemble.bundle.trust import read_trusted_manifest

POINTER = "champion"
_LOCK = ".lock"
_TRUST = Kind((BundleSettings,), "a BundleSettings, as settings.bundle").optional
_ID = Kind((str,), "the id of a bundle, a text")

# Limit of the size of the pointer: one id.
_POINTER_BYTES = 4096

_log = logging.getLogger(__name__)


def _require_entry(attempted: str, why: object, by: object, trust: object) -> None:
    """Refuse a reason or a name for the log that is no text, and trust that is no section of the settings."""
    require_types(attempted, why=(why, TEXT), by=(by, TEXT.optional), trust=(trust, _TRUST))


class BundleStore:
    """The bundles of one folder.

    Args:
        folder: created by the first `publish`.

    Every method raises `BundleError` for a bundle that is missing or altered, and for a folder that cannot be read or
    written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = path_of("open a folder of bundles", "folder", folder)

    def ids(self) -> tuple[str, ...]:
        """Ids of all published bundles, sorted."""
        if not self.folder.is_dir():
            raise BundleError(
                f"list the bundles in {self.folder}", found="no such folder", expected="a folder of bundles"
            )
        return tuple(
            sorted(path.parent.name for path in self.folder.glob(f"*/{FILE_NAME}") if path.parent.name[0] != ".")
        )

    def __repr__(self) -> str:
        return f"BundleStore({str(self.folder)!r})"

    def champion(self) -> str | None:
        """Id of the champion; None before the first."""
        pointer = self._read_pointer()
        if pointer is not None and pointer not in self.ids():
            raise BundleError(
                f"read {self.folder / POINTER}",
                found=repr(pointer[:40]),
                expected=self._expected_ids(),
                remedy="Set the champion again: quorate bundle promote ID.",
            )
        return pointer

    def path(self, bundle_id: str) -> Path:
        """Folder of a bundle, by its id.

        Raises:
            BundleError: no such bundle; suggests the closest id.
        """
        require_types(f"find a bundle in {self.folder}", bundle_id=(bundle_id, _ID))
        if bundle_id not in self.ids():
            raise BundleError(
                f"find the bundle '{bundle_id}' in {self.folder}",
                found="no such bundle",
                expected=self._expected_ids(),
                remedy=close_match(bundle_id, self.ids()),
            )
        return self.folder / bundle_id

    def manifest(self, bundle_id: str) -> Manifest:
        """Read the manifest of a bundle; its other files are not read."""
        path = self.path(bundle_id) / FILE_NAME
        try:
            content = read_regular(path, MOST_BYTES)
        except OSError as error:
            raise BundleError(f"load the bundle {path}", found=error.strerror or str(error)) from error
        return self._require_id(Manifest.parse(content, path), bundle_id)

    def verify(self, bundle_id: str) -> Manifest:
        """Check every file of a bundle against its SHA-256.

        Raises:
            BundleError: a file is altered or missing, or the bundle does not fit this version.
        """
        return self._require_id(storage.read(self.path(bundle_id))[0], bundle_id)

    def history(self) -> tuple[ChampionLogEntry, ...]:
        """Entries of the log, oldest first."""
        return read_history(self.folder)

    def publish(
        self,
        manifest: Manifest,
        files: Mapping[str, bytes],
        *,
        why: str = "",
        by: str | None = None,
        promote: bool = True,
        trust: BundleSettings | None = None,
    ) -> tuple[Path, Manifest]:
        """Add a bundle. It becomes champion only if there is none; replacing one takes the method `promote`.

        Args:
            manifest: all fields but `files` and `id`, which are set here.
            files: file name -> content.
            why: reason, for the log.
            by: who publishes it, for the log; None for the user of this process.
            promote: make it champion if there is none, and if it is signed as required: an unsigned one is published,
                and a warning is logged.
            trust: as of `promote`.

        Returns:
            The bundle's folder and its manifest with `files` and `id` set.
        """
        attempted = f"publish a bundle in {self.folder}"
        require_types(
            attempted,
            manifest=(manifest, Kind((Manifest,), "a manifest")),
            files=(files, MAPPING),
            promote=(promote, FLAG),
        )
        for name, content in files.items():
            require_types(attempted, files=(name, Kind((str,), "names of files with their bytes")))
            require_types(attempted, files=(content, Kind((bytes,), "names of files with their bytes")))
        _require_entry(attempted, why, by, trust)
        with self._lock():
            champion, known = self.champion(), self.ids()
            self._record_interruption()
            self._remove_incomplete()
            path, published = storage.publish(self.folder, manifest, files)
            if published.id not in known:
                self._append("publish", published.id, why, by)
            if promote and champion is None and self._may_promote(published.id, trust):
                self._set_champion("promote", published.id, why or "the first bundle", by)
        return path, published

    def promote(
        self, bundle_id: str, *, why: str = "", by: str | None = None, trust: BundleSettings | None = None
    ) -> ChampionLogEntry | None:
        """Make a bundle the champion after checking its signature and every file of it.

        Args:
            bundle_id: of the bundle.
            why: reason, for the log.
            by: who promotes it, for the log; None for the user of this process.
            trust: keys by one of which it has to be signed, if there are any; None for those of quorate.toml and the
                environment.

        Returns:
            The new entry of the log; None if it was champion already.

        Raises:
            BundleError: no such bundle, or one that is altered or not signed by a trusted key; the champion stays.
        """
        _require_entry(f"change the champion of {self.folder}", why, by, trust)
        self.require_trusted(bundle_id, trust)
        self.verify(bundle_id)
        with self._lock():
            self._record_interruption()
            return None if self._read_pointer() == bundle_id else self._set_champion("promote", bundle_id, why, by)

    def rollback(
        self, *, why: str = "", by: str | None = None, trust: BundleSettings | None = None
    ) -> ChampionLogEntry:
        """Make the previous champion the champion again; arguments as of `promote`.

        Returns:
            The new entry of the log.

        Raises:
            BundleError: there is no previous champion, or it is altered or not signed by a trusted key; the champion
                stays.
        """
        _require_entry(f"change the champion of {self.folder}", why, by, trust)
        self.ids()
        with self._lock():
            self._record_interruption()
            lineage = champion_lineage(self.history())
            if len(lineage) < 2:
                raise BundleError(
                    f"roll back the champion of {self.folder}",
                    found=f"no champion before {lineage[-1]}" if lineage else "no champion yet",
                    expected="an earlier champion",
                    remedy="Choose one: quorate bundle promote ID.",
                )
            self.require_trusted(lineage[-2], trust)
            self.verify(lineage[-2])
            return self._set_champion("rollback", lineage[-2], why, by)

    def remove(self, bundle_id: str, *, why: str = "", by: str | None = None) -> None:
        """Remove a bundle that is not champion. It disappears at once; a reader that has it open keeps what it has.

        Args:
            bundle_id: of the bundle.
            why: reason, for the log.
            by: who removes it, for the log; None for the user of this process.

        Raises:
            BundleError: no such bundle, the champion, or a folder that cannot be written.
        """
        _require_entry(f"remove a bundle of {self.folder}", why, by, None)
        path = self.path(bundle_id)
        with self._lock():
            if bundle_id == self._read_pointer():
                raise BundleError(
                    f"remove {bundle_id} of {self.folder}",
                    found="the champion",
                    expected="another bundle",
                    remedy="Promote another one first.",
                )
            self._append("remove", bundle_id, why, by)
            storage.remove(path)
            self._remove_incomplete()

    def require_trusted(self, bundle_id: str, trust: BundleSettings | None = None) -> None:
        """Require of a bundle the signature that loading it requires; `trust` as of `promote`.

        Raises:
            BundleError: no such bundle, or one that is not signed by a trusted key.
            MissingExtraError: there are trusted keys, and cryptography is not installed.
        """
        require_types("require a signature", trust=(trust, _TRUST))
        read_trusted_manifest(self.path(bundle_id), trust, f"make {bundle_id} the champion of {self.folder}")

    def _may_promote(self, bundle_id: str, trust: BundleSettings | None) -> bool:
        try:
            self.require_trusted(bundle_id, trust)
        except (BundleError, MissingExtraError) as error:
            _log.warning("%s is published, and is not champion: %s", bundle_id, error)
            return False
        return True

    def _set_champion(self, action: LogAction, bundle_id: str, why: str, by: str | None) -> ChampionLogEntry:
        entry = self._append(action, bundle_id, why, by)
        try:
            write_text_atomic(self.folder / POINTER, f"{bundle_id}\n")
        except DataError as error:
            raise BundleError(
                f"{action} {bundle_id} in {self.folder}",
                found=error.found,
                expected=error.expected,
                remedy=f"The champion is as before. Free some space, then: quorate bundle promote {bundle_id} "
                f"--bundles {self.folder}.",
            ) from error
        return entry

    def _record_interruption(self) -> None:
        """Log a change of champion that was logged and never made as interrupted.

        A pointer that names no bundle was altered by hand: it does not show that a change was interrupted.
        """
        pointer, lineage = self._read_pointer(), champion_lineage(self.history())
        if lineage and lineage[-1] != pointer and (pointer is None or pointer in self.ids()):
            self._append("interrupted", lineage[-1], "the pointer never followed", None)

    def _read_pointer(self) -> str | None:
        """Content of the pointer, whether it names a bundle or not; None if there is no pointer."""
        path = self.folder / POINTER
        try:
            return read_regular(path, _POINTER_BYTES).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(f"read {path}", found=str(error), expected="the id of a bundle") from error

    def _append(self, action: LogAction, bundle_id: str, why: str, by: str | None) -> ChampionLogEntry:
        who = by or os.environ.get("LOGNAME") or os.environ.get("USER") or f"uid {os.getuid()}"
        entry = ChampionLogEntry(iso_ms(now_ms()), action, bundle_id, self._read_pointer(), who, why)
        append_entry(self.folder, entry)
        return entry

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the folder's lock: one writer at a time. The kernel releases it however the process ends."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = open_to_lock(self.folder / _LOCK)
        except OSError as error:
            raise BundleError(
                f"write to {self.folder}",
                found=error.strerror or str(error),
                expected="a writable folder",
                remedy="Nothing was changed. Choose another folder.",
            ) from error
        import fcntl  # imported here: readers need no lock, and not every system has it

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _remove_incomplete(self) -> None:
        """Remove folders that killed processes left unpublished; the caller holds the lock, so none is in use."""
        import shutil  # imported here: readers do not need it

        for temporary in self.folder.glob(f"{storage.TEMPORARY_PREFIX}*"):
            shutil.rmtree(temporary, ignore_errors=True)

    def _require_id(self, manifest: Manifest, bundle_id: str) -> Manifest:
        if manifest.id != bundle_id:
            raise BundleError(
                f"load the bundle {self.folder / bundle_id}",
                found=f"the bundle {manifest.id} in its place",
                expected=bundle_id,
                remedy="Restore it from a copy, or train again.",
            )
        return manifest

    def _expected_ids(self) -> str:
        known = self.ids()
        return f"one of {', '.join(known)}" if known else "a published bundle; there is none"
