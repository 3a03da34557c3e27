"""Who votes in a bundle as a file beside the champion's pointer, which the live path reads; see `selection_file`."""

from __future__ import annotations

import json
from pathlib import Path

from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.ensemble.series.selection_file import read_selection_file, selection_path
from quorate.lifecycle.selection.selection_check import SelectionCheck


def read_selection(bundles: Path, bundle_id: str) -> SelectionCheck | None:
    """Who votes in a bundle; None where members were never chosen.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        bundle_id: of the bundle.

    Raises:
        DataError: a file that cannot be read, or is about another bundle.
    """
    return read_selection_file(selection_path(bundles, bundle_id), bundle_id, SelectionCheck.from_json)


def write_selection(bundles: Path, check: SelectionCheck) -> SelectionCheck | None:
    """Write a check atomically; `bundles` as of `read_selection`.

    Returns:
        What was there before; None without one.

    Raises:
        DataError: the folder cannot be written, or a file there that cannot be read.
    """
    path = selection_path(bundles, check.bundle)
    with folder_lock(path.parent, other="choice of the members"):
        before = read_selection(bundles, check.bundle)
        write_text_atomic(path, json.dumps(check.to_json(), indent=1, allow_nan=False) + "\n")
    return before
