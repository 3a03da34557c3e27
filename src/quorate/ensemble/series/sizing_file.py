"""The file of a bundle's sizing overlay, and its reader on the live path.

<bundles>/sizing/<id>.json    {"bundle": ID, "kept": true, "from": MS, "policy": {...}, "digest": SHA-256, ...}

`quorate size fit` writes it, also where the overlay is not kept: then nothing applies it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core.errors import DataError, QuorateError
from quorate.core.sections.sizing import SizingSettings
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.ensemble.series.beside_bundles import beside_bundles
from quorate.trading.sizing import Overlay, SizingPolicy

FOLDER = "sizing"

# Far above a network of two hidden layers of 256.
_MOST_BYTES = 8_000_000

_log = logging.getLogger(__name__)


def sizing_path(bundles: Path, name: str) -> Path:
    """A file beside the bundles: that of a bundle by its id; `bundles` is what users name."""
    return beside_bundles(bundles, FOLDER, name)


def read_sizing(bundles: Path, bundle_id: str) -> Mapping[str, Any] | None:
    """The document of a bundle's overlay, with its policy checked against the digest; None where there is none.

    Raises:
        DataError: a file that cannot be read, was altered, or is about another bundle.
    """
    path = sizing_path(bundles, bundle_id)
    attempted, remedy = f"read the sizing overlay {path}", "Fit it again: quorate size fit."
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
        found, kept, policy = tree["bundle"], tree["kept"], SizingPolicy.from_json(tree["policy"])
        fits = isinstance(kept, bool) and isinstance(tree["from"], int) and policy.digest == tree["digest"]
    except FileNotFoundError:
        return None
    except (OSError, QuorateError, *MISSHAPEN) as error:
        found, expected = f"{type(error).__name__}: {error}", "what `quorate size fit` wrote"
        raise DataError(attempted, found=found, expected=expected, remedy=remedy) from error
    if not fits:
        raise DataError(attempted, found="an altered policy", expected=f"the digest {tree['digest']}", remedy=remedy)
    if found != bundle_id:
        raise DataError(attempted, found=f"the overlay of {found}", expected=f"that of {bundle_id}", remedy=remedy)
    return dict(tree)


def stored_overlay(bundles: Path | None, bundle_id: str, settings: SizingSettings) -> Overlay | None:
    """The overlay that is kept for a bundle; None where `sizing.apply` is not set or no overlay is kept.

    It holds for decisions after the newest bar that it was fitted on: earlier ones have their ordinary stake.

    Args:
        bundles: as of `sizing_path`; None for a bundle that is in no folder.
        bundle_id: of the bundle that decides.
        settings: whether overlays are applied.

    Raises:
        DataError: see `read_sizing`.
    """
    if not settings.apply:
        return None
    tree = None if bundles is None else read_sizing(bundles, bundle_id)
    if tree is None or not tree["kept"]:
        _log.warning("no sizing overlay is kept for bundle %s: entries have their ordinary stake", bundle_id)
        return None
    return Overlay(((tree["from"], SizingPolicy.from_json(tree["policy"])),))
