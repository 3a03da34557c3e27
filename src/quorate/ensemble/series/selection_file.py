"""The file that says which members of a bundle vote, and its reader on the live path.

<bundles>/selection/<id>.json    {"bundle": ID, "size": 4, "terms": [...], ...}

`quorate select check` writes it; a restart finds it as it was. What it holds beside the terms is for those who show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from quorate.core.errors import DataError
from quorate.ensemble.inference.bench import Bench, BenchOf
from quorate.ensemble.selection import Membership, Term
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.ensemble.series.stored_state import StoredState, read_stored

FOLDER = "selection"

_COMMAND = "quorate select check"

T = TypeVar("T")


def selection_path(bundles: Path, bundle_id: str) -> Path:
    """The file of a bundle; `bundles` is what users name."""
    return beside_bundles(bundles, FOLDER, bundle_id)


def read_selection_file(path: Path, bundle_id: str, parse: Callable[[Mapping[str, Any]], T]) -> T | None:
    """What is made of the document of a file; None where there is no file.

    Raises:
        DataError: a file that cannot be read, or is not about this bundle.
    """
    return read_stored(path, bundle_id, parse, "who votes", _COMMAND)


def membership_of(tree: Mapping[str, Any]) -> Membership:
    """The membership of a document."""
    return Membership(int(tree["size"]), tuple(Term.from_json(term) for term in tree["terms"]))


class StoredSelection(StoredState[Membership]):
    """Who votes in each bundle of a folder, from its file; without one the first members in order.

    A file of another number of members than the setting is refused: it was written before the setting was changed.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        size: number of members that vote.
    """

    def __init__(self, bundles: Path, size: int) -> None:
        def read(path: Path, bundle_id: str) -> Membership | None:
            found = read_selection_file(path, bundle_id, membership_of)
            if found is not None and found.size != size:
                raise DataError(
                    f"read who votes from {path}",
                    found=f"{found.size} members",
                    expected=f"{size}, the setting select.size",
                    remedy=f"Run it again: {_COMMAND}.",
                )
            return found

        super().__init__(bundles, FOLDER, read, Membership(size), "who votes")


def with_selection(bench_of: BenchOf, bundles: Path, size: int) -> BenchOf:
    """The bench with who votes; arguments as of `StoredSelection`."""
    stored = StoredSelection(bundles, size)

    def both(bundle_id: str) -> Bench:
        return replace(bench_of(bundle_id), membership=stored(bundle_id))

    return both
