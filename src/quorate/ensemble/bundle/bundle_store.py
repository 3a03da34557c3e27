"""A folder of bundles, one of which is the champion.

<folder>/<id>/           a bundle, see bundle.py; never changed and never removed
         champion        the id of the one in use, a line of text
         history.jsonl   what was done, when, by whom and why, see history.py

Readers need no lock: a bundle and the pointer each appear at once. Writers take turns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quorate.core.clock import iso_ms, now_ms
from quorate.core.errors import BundleError, DataError, close_match
from quorate.core.files import write_text_atomic
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.champion_log import ChampionLogEntry, Deed, append_line, read_history, reigns
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest

POINTER = "champion"
_LOCK = ".lock"


class BundleStore:
    """The bundles of one folder.

    Args:
        folder: made by the first `publish`.

    Raises, whatever is asked:
        BundleError: no such bundle, one that is altered, or a folder that cannot be read or written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def ids(self) -> tuple[str, ...]:
        """Every published bundle, sorted."""
        if not self.folder.is_dir():
            raise BundleError(f"list the bundles in {self.folder}", found="no such folder", expected="a folder of them")
        return tuple(
            sorted(path.parent.name for path in self.folder.glob(f"*/{FILE_NAME}") if path.parent.name[0] != ".")
        )

    def champion(self) -> str | None:
        """The id of the bundle in use; None before the first."""
        named = self._named()
        if named is not None and named not in self.ids():
            raise BundleError(
                f"read {self.folder / POINTER}",
                found=repr(named[:40]),
                expected=self._known(),
                remedy="Name the champion again: quorate bundle promote ID.",
            )
        return named

    def path(self, bundle_id: str) -> Path:
        """The folder of a bundle, by its id.

        Raises:
            BundleError: no such bundle; the close match is named.
        """
        if bundle_id not in self.ids():
            raise BundleError(
                f"find the bundle '{bundle_id}' in {self.folder}",
                found="no such bundle",
                expected=self._known(),
                remedy=close_match(bundle_id, self.ids()),
            )
        return self.folder / bundle_id

    def manifest(self, bundle_id: str) -> Manifest:
        """What a bundle says of itself; its other files are not looked at."""
        path = self.path(bundle_id) / FILE_NAME
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BundleError(f"load the bundle {path}", found=error.strerror or str(error)) from error
        return self._own(Manifest.parse(content, path), bundle_id)

    def verify(self, bundle_id: str) -> Manifest:
        """Read every file of a bundle against its SHA-256.

        Raises:
            BundleError: a file altered or missing, or a bundle made for something else.
        """
        return self._own(storage.read(self.path(bundle_id))[0], bundle_id)

    def history(self) -> tuple[ChampionLogEntry, ...]:
        """What was done, oldest first."""
        return read_history(self.folder)

    def publish(
        self, manifest: Manifest, files: Mapping[str, bytes], *, why: str = "", by: str | None = None
    ) -> tuple[Path, Manifest]:
        """Add a bundle. It becomes champion only where there is none: to replace one is a decision of its own.

        Args:
            manifest: everything but `files` and `id`, which are filled in.
            files: file name -> content.
            why: for the history.
            by: likewise; None for the user of this process.

        Returns:
            The bundle's folder and its sealed manifest.
        """
        with self._lock():
            champion, known = self.champion(), self.ids()
            self._settle()
            self._sweep()
            path, sealed = storage.publish(self.folder, manifest, files)
            if sealed.id not in known:
                self._write("publish", sealed.id, why, by)
            if champion is None:
                self._crown("promote", sealed.id, why or "the first bundle", by)
        return path, sealed

    def promote(self, bundle_id: str, *, why: str = "", by: str | None = None) -> ChampionLogEntry | None:
        """Make a bundle the champion, after reading all of it.

        Returns:
            What was written into the history; None where it was champion already.

        Raises:
            BundleError: no such bundle (the close match is named), or one that does not verify; the old champion stays.
        """
        self.verify(bundle_id)
        with self._lock():
            self._settle()
            return None if self._named() == bundle_id else self._crown("promote", bundle_id, why, by)

    def rollback(self, *, why: str = "", by: str | None = None) -> ChampionLogEntry:
        """Make the champion before this one champion again.

        Returns:
            What was written into the history.

        Raises:
            BundleError: there was none before it, or it does not verify any more; the champion stays.
        """
        self.ids()
        with self._lock():
            self._settle()
            line = reigns(self.history())
            if len(line) < 2:
                raise BundleError(
                    f"roll back the champion of {self.folder}",
                    found=f"no champion before {line[-1]}" if line else "no champion yet",
                    expected="an earlier one",
                    remedy="Name one: quorate bundle promote ID.",
                )
            self.verify(line[-2])
            return self._crown("rollback", line[-2], why, by)

    def _crown(self, deed: Deed, bundle_id: str, why: str, by: str | None) -> ChampionLogEntry:
        written = self._write(deed, bundle_id, why, by)
        try:
            write_text_atomic(self.folder / POINTER, f"{bundle_id}\n")
        except DataError as error:
            raise BundleError(f"{deed} {bundle_id}", found=error.found, expected=error.expected) from error
        return written

    def _settle(self) -> None:
        """Take back a change that was written down and never made. A pointer to nothing says nothing of that."""
        named, line = self._named(), reigns(self.history())
        if line and line[-1] != named and (named is None or named in self.ids()):
            self._write("interrupted", line[-1], "the pointer never followed", None)

    def _named(self) -> str | None:
        """What the pointer says, be it a bundle or not."""
        path = self.folder / POINTER
        try:
            return path.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(f"read {path}", found=str(error), expected="the id of a bundle") from error

    def _write(self, deed: Deed, bundle_id: str, why: str, by: str | None) -> ChampionLogEntry:
        who = by or os.environ.get("LOGNAME") or os.environ.get("USER") or f"uid {os.getuid()}"
        line = ChampionLogEntry(iso_ms(now_ms()), deed, bundle_id, self._named(), who, why)
        append_line(self.folder, line)
        return line

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One writer at a time; the kernel lets go of the lock however a process ends."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise BundleError(
                f"write to {self.folder}",
                found=error.strerror or str(error),
                expected="a folder that can be written",
                remedy="Nothing was changed; choose another folder.",
            ) from error
        import fcntl  # here, because readers need no lock and not every system has this one

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what a process that was killed while it published has left; the lock says that nobody else is."""
        import shutil  # here, because who only reads needs none of it

        for draft in self.folder.glob(f"{storage.DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)

    def _own(self, manifest: Manifest, bundle_id: str) -> Manifest:
        if manifest.id != bundle_id:
            raise BundleError(
                f"load the bundle {self.folder / bundle_id}",
                found=f"the bundle {manifest.id} in its place",
                expected=bundle_id,
                remedy="Restore it from a copy, or train again.",
            )
        return manifest

    def _known(self) -> str:
        known = self.ids()
        return f"one of {', '.join(known)}" if known else "a published bundle, and there is none"


def champion_path(path: Path) -> Path:
    """The bundle that a path stands for: itself, or the champion where it is a folder of bundles.

    Raises:
        BundleError: the champion's pointer names no bundle.
    """
    if (path / FILE_NAME).exists() or not (path / POINTER).exists():
        return path
    store = BundleStore(path)
    champion = store.champion()
    return path if champion is None else store.path(champion)
