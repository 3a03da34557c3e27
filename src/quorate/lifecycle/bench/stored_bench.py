"""The bench of a bundle as a file beside the champion's pointer, which the live path reads; see `bench_file`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.ensemble.series.bench_file import bench_path, read_bench_file
from quorate.lifecycle.bench.member_check import BenchCheck


def read_bench(bundles: Path, bundle_id: str) -> BenchCheck | None:
    """The bench of a bundle; None where nobody was ever checked or benched.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        bundle_id: of the bundle.

    Raises:
        DataError: a file that cannot be read, or is about another bundle.
    """
    return read_bench_file(bench_path(bundles, bundle_id), bundle_id, BenchCheck.from_json)


def write_bench(bundles: Path, check: BenchCheck) -> tuple[BenchCheck, BenchCheck | None]:
    """Write a check atomically, with what people benched by hand before it.

    Returns:
        What was written, and what was there before; `bundles` as of `read_bench`.

    Raises:
        DataError: the folder cannot be written, or a file there that cannot be read.
    """

    def merged(before: BenchCheck | None) -> BenchCheck:
        return check if before is None else check.with_by_hand(before.spans)

    return change_bench(bundles, check.bundle, merged)


def change_bench(
    bundles: Path, bundle_id: str, change: Callable[[BenchCheck | None], BenchCheck]
) -> tuple[BenchCheck, BenchCheck | None]:
    """Replace the file by what is made of it, while other writers wait; results and errors as of `write_bench`."""
    path = bench_path(bundles, bundle_id)
    with folder_lock(path.parent, other="check of the members"):
        before = read_bench(bundles, bundle_id)
        after = change(before)
        write_text_atomic(path, json.dumps(after.to_json(), indent=1, allow_nan=False) + "\n")
    return after, before
