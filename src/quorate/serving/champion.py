"""The bundle that a service predicts with, and its replacement while requests are answered.

Requests read one attribute. A new champion is loaded and proven beside the old one; then that attribute is replaced, so
that every request is answered by exactly one of the two. A new champion that fails leaves the old one in place.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quorate.core.clock import now_ms
from quorate.core.errors import BundleError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import Policy
from quorate.ensemble.bundle.bundle_store import POINTER, BundleStore
from quorate.ensemble.bundle.champion_log import champion_lineage
from quorate.ensemble.bundle.manifest import FILE_NAME
from quorate.ensemble.inference import Predictor
from quorate.workflows.bundles import promote_bundle, rollback_bundle
from quorate.workflows.inputs.predictors import load_live
from quorate.workflows.results.champion_change import ChampionChange

_log = logging.getLogger(__name__)

#: Proves that a bundle predicts, beside the one in use; raises `QuorateError` if it does not.
Proof = Callable[[Predictor, Predictor], None]


@dataclass(frozen=True, slots=True)
class BundleSwap:
    """A new champion, taken or refused.

    Attributes:
        result: swapped, or refused: the bundle before it stays in use.
        bundle: id of the new champion; None where the pointer names no bundle.
        previous: id of the bundle that was in use.
        time: ms UTC.
        reason: why it was refused.
    """

    result: Literal["swapped", "refused"]
    bundle: str | None
    previous: str
    time: int
    reason: str = ""


class Champion:
    """The loaded champion of a folder of bundles, or a single bundle or series that never changes.

    All methods may be called from any thread; `follow`, `promote` and `rollback` wait for each other.

    Args:
        path: folder of bundles, of one bundle, or of a series.
        settings: time limits of the members, own columns, trusted keys; `serve.retry_s`.
        policy: to decide by, instead of each bundle's own.
        clock: returns the current time in ms.

    Attributes:
        predictor: the bundle or series in use.
        store: None where it never changes.
        refused: the newest champion, if it was refused.
        listeners: called with every swap, in the thread that made it.

    Raises:
        BundleError: no bundle there, or one that cannot be loaded.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        policy: Policy | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.path = path
        self._settings, self._policy, self._clock = settings, policy, clock
        self._lock = threading.Lock()
        pinned = (path / FILE_NAME).exists() or not (path / POINTER).exists()
        self.store = None if pinned else BundleStore(path)
        self._seen = self._pointer()
        self.predictor: Predictor = load_live(path, settings, policy)
        self.refused: BundleSwap | None = None
        self.listeners: list[Callable[[BundleSwap], None]] = []
        self._prove: Proof = _require_members

    def prove_with(self, proof: Proof) -> None:
        """Require that this succeeds of every new champion, too."""

        def both(new: Predictor, old: Predictor) -> None:
            _require_members(new, old)
            proof(new, old)

        self._prove = both

    def follow(self) -> BundleSwap | None:
        """Load the champion that the folder names now, if it is another one; what came of it, if anything."""
        if self.store is None:
            return None
        with self._lock:
            pointer, refused = self._pointer(), self.refused
            again = refused is not None and self._clock() - refused.time >= self._settings.serve.retry_s * 1000
            if pointer == self._seen and not again:
                return None
            self._seen = pointer
            named: str | None = None
            try:
                named = self.store.champion()
                if named is None or named == self.predictor.id:
                    self.refused = None
                    return None
                return self._take(self._proven(named))
            except QuorateError as error:
                return self._refuse(named, error)

    def promote(self, bundle_id: str, *, why: str = "", by: str | None = None) -> ChampionChange:
        """Make a bundle the champion and use it at once. It is proven before the folder is changed.

        Raises:
            BundleError: no such bundle, one that is altered, unsigned or cannot predict, or a service of one bundle.
                The champion stays.
        """
        store = self.require_store("promote a bundle")
        with self._lock:
            new = self._proven(bundle_id)
            change = promote_bundle(store, bundle_id, why=why, by=by, trust=self._settings.bundle)
            self._seen = self._pointer()
            self._take(new)
            return change

    def rollback(self, *, why: str = "", by: str | None = None) -> ChampionChange:
        """Make the previous champion the champion again and use it at once; see `promote`."""
        store = self.require_store("roll back the champion")
        with self._lock:
            earlier = champion_lineage(store.history())[-2:-1]
            new = self._proven(earlier[0]) if earlier else None
            change = rollback_bundle(store, why=why, by=by, trust=self._settings.bundle)
            self._seen = self._pointer()
            # Another process may have promoted one in between.
            self._take(new if new is not None and new.id == change.champion else self._proven(change.champion))
            return change

    def _proven(self, bundle_id: str) -> Predictor:
        """A bundle of the folder that predicts, loaded; the one in use where it is the same."""
        if bundle_id == self.predictor.id:
            return self.predictor
        store = self.require_store("load a bundle")
        new = load_live(store.path(bundle_id), self._settings, self._policy)
        self._prove(new, self.predictor)
        return new

    def _take(self, new: Predictor) -> BundleSwap | None:
        previous, self.refused = self.predictor.id, None
        if new.id == previous:
            return None
        self.predictor = new
        _log.info("champion %s: in use, in place of %s", new.id, previous)
        return self._report(BundleSwap("swapped", new.id, previous, self._clock()))

    def _refuse(self, bundle_id: str | None, error: QuorateError) -> BundleSwap:
        known, swap = self.refused, BundleSwap("refused", bundle_id, self.predictor.id, self._clock(), str(error))
        self.refused = swap
        if known is not None and (known.bundle, known.reason) == (swap.bundle, swap.reason):
            return swap  # tried again, and said already
        _log.error("champion %s: refused, %s stays in use: %s", bundle_id, self.predictor.id, error)
        return self._report(swap)

    def _report(self, swap: BundleSwap) -> BundleSwap:
        for listener in self.listeners:
            listener(swap)
        return swap

    def require_store(self, attempted: str) -> BundleStore:
        """The folder of bundles.

        Raises:
            BundleError: a single bundle or series, which never changes.
        """
        if self.store is None:
            raise BundleError(
                attempted,
                found=f"a service of {self.path}, which is not a folder of bundles",
                expected="a folder of bundles, as `quorate train --out` writes it",
                remedy="Start the service with the folder that holds the bundle.",
            )
        return self.store

    def _pointer(self) -> tuple[int, int] | None:
        """What changes whenever the pointer is written."""
        try:
            found = (self.path / POINTER).stat()
        except OSError:  # reading it says why
            return None
        return found.st_ino, found.st_mtime_ns


def _require_members(new: Predictor, old: Predictor) -> None:
    """Require a bundle of the same timeframe, with members that could be loaded."""
    attempted = f"use the bundle {new.id}"
    if new.manifest.timeframe != old.manifest.timeframe:
        raise BundleError(
            attempted,
            found=f"a bundle of {new.manifest.timeframe} candles",
            expected=f"{old.manifest.timeframe}, as the service was started",
            remedy="Restart the service to change the timeframe.",
        )
    if new.mode == "none":
        failed = "; ".join(f"{model}: {reason}" for model, reason in new.newest.members.failures.items())
        raise BundleError(attempted, found=f"fewer than two members ({failed})", expected="at least two members")
