"""The newest check of each bundle, as a file beside the champion's pointer, and what follows from it.

<bundles>/drift/<id>.json    the document of `quorate drift --json`

`quorate drift` writes it; the service and the schedule of retraining read it. They never compute: it takes seconds and
libraries that do not belong into a process that answers. A restart finds the file as it was.
"""

from __future__ import annotations

import json
from pathlib import Path

from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.files import write_text_atomic
from quorate.core.sections.drift import DriftSettings
from quorate.core.untrusted_json import read_json
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.evaluation.drift.drift_check import DriftCheck

FOLDER = "drift"

# Far above the document of hundreds of features.
_MOST_BYTES = 2_000_000


def check_path(bundles: Path, bundle_id: str) -> Path:
    """File of the newest check of a bundle.

    Args:
        bundles: what users name: a folder of bundles, or the folder of a bundle or series in it.
        bundle_id: of the bundle.
    """
    return beside_bundles(bundles, FOLDER, bundle_id)


def write_check(bundles: Path, check: DriftCheck) -> Path:
    """Write the newest check of a bundle atomically; `bundles` as of `check_path`.

    Raises:
        DataError: the folder cannot be written.
    """
    path = check_path(bundles, check.bundle)
    write_text_atomic(path, json.dumps(check.to_json(), indent=1, allow_nan=False) + "\n")
    return path


def read_check(bundles: Path, bundle_id: str) -> DriftCheck | None:
    """The newest check of a bundle; None where it was never checked. `bundles` as of `check_path`.

    Raises:
        DataError: a file that cannot be read, or is no check of this bundle.
    """
    path = check_path(bundles, bundle_id)
    attempted = f"read the check for drift {path}"
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            attempted, found=str(error), expected="what `quorate drift` wrote", remedy="Check again: quorate drift."
        ) from error
    if not isinstance(tree, dict):
        raise DataError(attempted, found=f"a {type(tree).__name__}", expected="what `quorate drift` wrote")
    check = DriftCheck.from_json(tree, attempted)
    if check.bundle != bundle_id:
        raise DataError(attempted, found=f"a check of {check.bundle}", expected=f"one of {bundle_id}")
    return check


def is_valid(check: DriftCheck, settings: DriftSettings, now: int) -> bool:
    """Whether a check is young enough to count."""
    return now - check.checked_at <= settings.valid_days * DAY_MS


def retraining_reason(check: DriftCheck | None, settings: DriftSettings, now: int) -> str:
    """Why a bundle should be trained again before its schedule says so; empty where it should not.

    Args:
        check: the newest of the champion.
        settings: action and age.
        now: ms.
    """
    if settings.action != "retrain" or check is None or not is_valid(check, settings, now):
        return ""
    return f"drift: {check.headline}" if check.verdict == "drifting" else ""
