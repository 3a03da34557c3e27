"""What a file beside each bundle says, as the live path reads it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from quorate.core.errors import DataError, QuorateError
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.ensemble.series.beside_bundles import beside_bundles

State = TypeVar("State")

# Far above what a file holds after years.
_MOST_BYTES = 4_000_000

_log = logging.getLogger(__name__)


def read_stored(
    path: Path, bundle_id: str, parse: Callable[[Mapping[str, Any]], State], what: str, command: str
) -> State | None:
    """What the file of a bundle says; None where there is no file.

    Args:
        path: of the file, a JSON object that has the bundle's id in `bundle`.
        bundle_id: of the bundle.
        parse: makes the state of the document.
        what: it says, for messages, such as "who is benched".
        command: that writes it.

    Raises:
        DataError: a file that cannot be read, or is not about this bundle.
    """
    attempted = f"read {what} from {path}"
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
        found, state = tree["bundle"], parse(tree)
    except FileNotFoundError:
        return None
    except (OSError, QuorateError, *MISSHAPEN) as error:
        raise DataError(
            attempted,
            found=f"{type(error).__name__}: {error}",
            expected=f"what `{command}` wrote",
            remedy=f"Run it again: {command}.",
        ) from error
    if found != bundle_id:
        raise DataError(attempted, found=f"a file about the bundle {found}", expected=f"one about {bundle_id}")
    return state


class StoredState(Generic[State]):
    """The state of each bundle of a folder, from its file, which is read again when it was replaced.

    A prediction must not fail because of it: a file that cannot be read is logged once, and the state stays as it was.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        folder: of the files, beside the bundles.
        read: called with the path and the id of the bundle; raises DataError.
        empty: at a start, and where there is no file.
        what: for the log, such as "the bench".
    """

    def __init__(
        self, bundles: Path, folder: str, read: Callable[[Path, str], State | None], empty: State, what: str
    ) -> None:
        self._bundles, self._folder, self._read, self._empty, self._what = bundles, folder, read, empty, what
        self._paths: dict[str, Path] = {}
        self._known: dict[str, tuple[tuple[int, int] | None, State]] = {}

    def __call__(self, bundle_id: str) -> State:
        """The state of a bundle as of now."""
        path = self._paths.get(bundle_id)
        if path is None:  # once: it is asked at every prediction
            path = self._paths[bundle_id] = beside_bundles(self._bundles, self._folder, bundle_id)
        stamp = _stamp(path)
        known = self._known.get(bundle_id)
        if known is not None and known[0] == stamp:
            return known[1]
        state = self._empty if known is None else known[1]
        try:
            found = self._read(path, bundle_id)
            state = self._empty if found is None else found
        except DataError as error:
            _log.error("%s of %s stays as it was: %s", self._what, bundle_id, error)
        self._known[bundle_id] = stamp, state
        return state


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes whenever the file is written; None where there is none."""
    try:
        found = path.stat()
    except OSError:  # reading it says why
        return None
    return found.st_ino, found.st_mtime_ns
