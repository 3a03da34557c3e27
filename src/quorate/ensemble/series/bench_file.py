"""The file that says who is benched, and its reader on the live path.

<bundles>/bench/<id>.json    {"bundle": ID, "spans": [...], ...}

`quorate bench` writes it; a restart finds it as it was. What it holds beside the spans is for those who show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core.errors import DataError, QuorateError
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.ensemble.inference.bench import EMPTY, Bench, BenchSpan
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.ensemble.series.stored_state import StoredState

FOLDER = "bench"

# Far above the spans of years.
_MOST_BYTES = 2_000_000


def bench_path(bundles: Path, bundle_id: str) -> Path:
    """The file of a bundle; `bundles` is what users name."""
    return beside_bundles(bundles, FOLDER, bundle_id)


def read_bench_file(path: Path, bundle_id: str) -> Mapping[str, Any] | None:
    """The document of a file, with its spans checked; None where there is no file.

    Raises:
        DataError: a file that cannot be read, or is not about this bundle.
    """
    attempted, expected = f"read who is benched from {path}", "what `quorate bench` wrote"
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
        found = tree["bundle"]
        spans_of(tree)
    except FileNotFoundError:
        return None
    except (OSError, QuorateError, *MISSHAPEN) as error:
        remedy = "Run it again: quorate bench."
        raise DataError(
            attempted, found=f"{type(error).__name__}: {error}", expected=expected, remedy=remedy
        ) from error
    if found != bundle_id:
        raise DataError(attempted, found=f"the bench of {found}", expected=f"that of {bundle_id}")
    return dict(tree)


def spans_of(tree: Mapping[str, Any]) -> Bench:
    """The bench of a document."""
    return Bench(tuple(BenchSpan.from_json(span) for span in tree["spans"]))


class StoredBench(StoredState[Bench]):
    """The bench of each bundle of a folder, from its file; at a start nobody is benched.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
    """

    def __init__(self, bundles: Path) -> None:
        super().__init__(bundles, FOLDER, _read, EMPTY, "the bench")


def _read(path: Path, bundle_id: str) -> Bench | None:
    tree = read_bench_file(path, bundle_id)
    return None if tree is None else spans_of(tree)
