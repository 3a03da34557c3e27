"""The file that says who is benched, and its reader on the live path.

<bundles>/bench/<id>.json    {"bundle": ID, "spans": [...], ...}

`quorate bench` writes it; a restart finds it as it was. What it holds beside the spans is for those who show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quorate.ensemble.inference.bench import EMPTY, Bench, BenchSpan
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.ensemble.series.stored_state import StoredState, read_stored

FOLDER = "bench"

T = TypeVar("T")


def bench_path(bundles: Path, bundle_id: str) -> Path:
    """The file of a bundle; `bundles` is what users name."""
    return beside_bundles(bundles, FOLDER, bundle_id)


def read_bench_file(path: Path, bundle_id: str, parse: Callable[[Mapping[str, Any]], T]) -> T | None:
    """What is made of the document of a file; None where there is no file.

    Raises:
        DataError: a file that cannot be read, or is not about this bundle.
    """
    return read_stored(path, bundle_id, parse, "who is benched", "quorate bench check")


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
    return read_bench_file(path, bundle_id, spans_of)
