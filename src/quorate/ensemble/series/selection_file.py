"""The file that says which members of a bundle vote, and its reader on the live path.

<bundles>/selection/<id>.json    {"bundle": ID, "size": 4, "terms": [...], ...}

`quorate select check` writes it; a restart finds it as it was. What it holds beside the terms is for those who show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.core.errors import DataError, QuorateError
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.ensemble.inference.bench import Bench, BenchOf
from quorate.ensemble.selection import Membership, Term
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.ensemble.series.stored_state import StoredState

FOLDER = "selection"

# Far above the terms of years.
_MOST_BYTES = 4_000_000
_REMEDY = "Run it again: quorate select check."


def selection_path(bundles: Path, bundle_id: str) -> Path:
    """The file of a bundle; `bundles` is what users name."""
    return beside_bundles(bundles, FOLDER, bundle_id)


def read_selection_file(path: Path, bundle_id: str) -> Mapping[str, Any] | None:
    """The document of a file, with its terms checked; None where there is no file.

    Raises:
        DataError: a file that cannot be read, or is not about this bundle.
    """
    attempted, expected = f"read who votes from {path}", "what `quorate select check` wrote"
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
        found = tree["bundle"]
        membership_of(tree)
    except FileNotFoundError:
        return None
    except (OSError, QuorateError, *MISSHAPEN) as error:
        raise DataError(
            attempted, found=f"{type(error).__name__}: {error}", expected=expected, remedy=_REMEDY
        ) from error
    if found != bundle_id:
        raise DataError(attempted, found=f"the members of {found}", expected=f"those of {bundle_id}")
    return dict(tree)


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
            tree = read_selection_file(path, bundle_id)
            if tree is None:
                return None
            found = membership_of(tree)
            if found.size != size:
                raise DataError(
                    f"read who votes from {path}",
                    found=f"{found.size} members",
                    expected=f"{size}, the setting select.size",
                    remedy=_REMEDY,
                )
            return found

        super().__init__(bundles, FOLDER, read, Membership(size), "who votes")


def with_selection(bench_of: BenchOf, bundles: Path, size: int) -> BenchOf:
    """The bench with who votes; arguments as of `StoredSelection`."""
    stored = StoredSelection(bundles, size)

    def both(bundle_id: str) -> Bench:
        return replace(bench_of(bundle_id), membership=stored(bundle_id))

    return both
